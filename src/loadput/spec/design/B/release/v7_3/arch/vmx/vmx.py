"""The VMX part of design B on v7.3: the VMCS has no buddy.

Mirrors: arch/x86/kvm/vmx/vmx.c, v7.3, after 20240430193157.419425-1-seanjc@google.com
"""


# [Modified in design:B]
def vmx_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool):
    """Mirrors: vmx_vcpu_load(), arch/x86/kvm/vmx/vmx.c, v7.3, with the parameter"""
    if sched_in and not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)

    vmx_vcpu_load_vmcs(vcpu, cpu)

    vmx_vcpu_pi_load(vcpu, cpu)

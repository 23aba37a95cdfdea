"""The VMX part of design B.

Mirrors: arch/x86/kvm/vmx/vmx.c after 20240430193157.419425-1-seanjc@google.com
"""


# [Modified in design:B]
def vmx_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool):
    """Mirrors: vmx_vcpu_load(), arch/x86/kvm/vmx/vmx.c"""
    if sched_in and not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)

    vmx_vcpu_load_vmcs(vcpu, cpu, NULL)

    vmx_vcpu_pi_load(vcpu, cpu)


# [Modified in design:B]
def kvm_x86_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool):
    """Mirrors: vt_x86_ops.vcpu_load, arch/x86/kvm/vmx/main.c"""
    vmx_vcpu_load(vcpu, cpu, sched_in)

"""The VMX part of design A on v7.3: the VMCS has no buddy.

Mirrors: arch/x86/kvm/vmx/vmx.c, v7.3
"""


# [Modified in design:A]
def vmx_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: vmx_vcpu_load(), arch/x86/kvm/vmx/vmx.c, v7.3, without what vmx_sched_in() does"""
    vmx_vcpu_load_vmcs(vcpu, cpu)

    vmx_vcpu_pi_load(vcpu, cpu)

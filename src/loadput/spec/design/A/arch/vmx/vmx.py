"""The VMX part of design A.

Mirrors: arch/x86/kvm/vmx/vmx.c, v6.1
"""


# [New in design:A]
def vmx_sched_in(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: vmx_sched_in(), arch/x86/kvm/vmx/vmx.c, v6.1"""
    if not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)


# [New in design:A]
def kvm_x86_sched_in(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: vmx_x86_ops.sched_in, arch/x86/kvm/vmx/vmx.c, v6.1"""
    vmx_sched_in(vcpu, cpu)


# [Modified in design:A]
def vmx_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: vmx_vcpu_load(), arch/x86/kvm/vmx/vmx.c, v6.1"""
    vmx_vcpu_load_vmcs(vcpu, cpu, NULL)

    vmx_vcpu_pi_load(vcpu, cpu)

# [Modified in twin:arm64_reset_in_place]
def kvm_reset_vcpu(vcpu: ptr[kvm_vcpu]):
    """The vCPU stays loaded, so the registers on the CPU keep the old values."""
    preempt_disable()
    kvm_reset_sys_regs(vcpu)
    preempt_enable()

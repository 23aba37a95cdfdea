"""arch/arm64/kvm/reset.c, as it was."""


# [Modified in museum:arm64-reset-while-loaded]
def kvm_reset_vcpu(vcpu: ptr[kvm_vcpu]):
    """Neither put nor loaded, and the scheduler may come in between."""
    kvm_reset_sys_regs(vcpu)

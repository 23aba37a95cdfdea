"""arch/s390/kvm/kvm-s390.c, as it was."""


# [Modified in museum:s390-kicked-mask]
def kvm_arch_vcpu_runnable(vcpu: ptr[kvm_vcpu]) -> bool:
    """Only the way into the guest clears the bit of kicked_mask."""
    return kvm_s390_vcpu_has_irq(vcpu)

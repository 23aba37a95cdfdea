# [Modified in twin:s390_sie_when_blocked]
def kvm_s390_vcpu_sie_inhibited(vcpu: ptr[kvm_vcpu]) -> bool:
    """As kvm_s390_vcpu_sie_inhibited(), arch/s390/kvm/kvm-s390.c, without PROG_BLOCK_SIE."""
    return READ_ONCE(vcpu.arch.sie_block.request)

# [Modified in twin:s390_prefix_without_lock]
def kvm_s390_fixup_prefix(vcpu: ptr[kvm_vcpu]):
    """As kvm_s390_fixup_prefix(), arch/s390/kvm/s390/s390.c, without the lock."""
    vcpu.arch.prefix_notif = True

# [Modified in twin:s390_request_without_exit]
def exit_sie(vcpu: ptr[kvm_vcpu]):
    """As exit_sie(), arch/s390/kvm/kvm-s390.c, without the wait."""
    xchg(vcpu.arch.sie_block.stop_int, True)

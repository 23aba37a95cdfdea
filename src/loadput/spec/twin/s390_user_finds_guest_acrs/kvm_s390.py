# [Modified in twin:s390_user_finds_guest_acrs]
def store_regs(vcpu: ptr[kvm_vcpu]):
    """As store_regs(), arch/s390/kvm/kvm-s390.c, without restoring the host's."""
    vcpu.arch.acrs = this_cpu_read(hw_guest_acrs)
    vcpu.arch.host_acrs = 0

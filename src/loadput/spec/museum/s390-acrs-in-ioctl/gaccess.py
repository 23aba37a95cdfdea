"""arch/s390/kvm/gaccess.c, as it was; from the ioctl KVM_S390_MEM_OP, arch/s390/kvm/kvm-s390.c."""


# [New in museum:s390-acrs-in-ioctl]
def ar_translation(vcpu: ptr[kvm_vcpu]):
    """save_access_regs() into kvm_run, whoever's the registers are. Nobody else looks at either."""
    with atomic:
        vcpu.arch.acrs = this_cpu_read(hw_guest_acrs)


# [Modified in museum:s390-acrs-in-ioctl]
def kvm_vcpu_ioctl_get_regs(vcpu: ptr[kvm_vcpu]):
    """KVM_S390_MEM_OP by a logical address, with the access-register mode on."""
    lock_vcpu(vcpu)
    vcpu_load(vcpu)
    ar_translation(vcpu)
    vcpu_put(vcpu)
    unlock_vcpu(vcpu)

"""Drawn: double."""


# [Modified in twin:fusing_powerpc_kvm_vcpu_ioctl_get_regs_8692]
def kvm_vcpu_ioctl_get_regs(vcpu: ptr[kvm_vcpu]):
    lock_vcpu(vcpu)
    lock_vcpu(vcpu)
    vcpu_load(vcpu)
    vcpu_put(vcpu)
    unlock_vcpu(vcpu)

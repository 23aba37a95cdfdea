"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:mutex_kept]
def kvm_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """As kvm_vcpu_ioctl_run(), without the unlock."""
    lock_vcpu(vcpu)
    vcpu.immediate_exit = choose()
    vcpu.wants_to_run = not vcpu.immediate_exit
    kvm_arch_vcpu_ioctl_run(vcpu)
    vcpu.wants_to_run = False
    vcpu.immediate_exit = False

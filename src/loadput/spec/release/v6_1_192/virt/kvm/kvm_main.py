"""What differs from v6.1.

Mirrors: virt/kvm/kvm_main.c, v6.1.192
"""


# [Modified in release:v6.1.192]
def kvm_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """The KVM_RUN case of the vCPU's ioctl.

    Mirrors: kvm_vcpu_ioctl() case KVM_RUN, virt/kvm/kvm_main.c, v6.1.192; immediate_exit is free
    """
    lock_vcpu(vcpu)
    vcpu.immediate_exit = choose()
    vcpu.wants_to_run = not vcpu.immediate_exit
    kvm_arch_vcpu_ioctl_run(vcpu)
    vcpu.wants_to_run = False
    vcpu.immediate_exit = False
    unlock_vcpu(vcpu)

"""KVM_RUN of v6.1.

Mirrors: arch/s390/kvm/kvm-s390.c, v6.1
"""


# [Modified in release:v6.1]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/s390/kvm/kvm-s390.c, v6.1, up to vcpu_load()"""
    if vcpu.immediate_exit:
        return

    kvm_s390_run(vcpu)

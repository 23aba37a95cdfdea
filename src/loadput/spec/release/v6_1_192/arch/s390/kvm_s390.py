"""What differs from v6.1.

Mirrors: arch/s390/kvm/kvm-s390.c, v6.1.192
"""


# [Modified in release:v6.1.192]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/s390/kvm/kvm-s390.c, v6.1.192, up to vcpu_load()"""
    if not vcpu.wants_to_run:
        return

    kvm_s390_run(vcpu)

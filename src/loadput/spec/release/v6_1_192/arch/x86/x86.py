"""What differs from v6.1.

Mirrors: arch/x86/kvm/x86.c, v6.1.192
"""


# [Modified in release:v6.1.192]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/x86/kvm/x86.c, v6.1.192

    Omits: as in arch:x86
    """
    vcpu_load(vcpu)

    if not vcpu.wants_to_run:
        r = -1
    else:
        r = vcpu_run(vcpu)

    vcpu_put(vcpu)
    return r

"""x86 in v6.1, apart from what design A has of it.

Mirrors: arch/x86/kvm/x86.c, v6.1
"""


# [Modified in release:v6.1]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/x86/kvm/x86.c, v6.1

    Omits: as in arch:x86
    """
    vcpu_load(vcpu)

    if vcpu.immediate_exit:
        r = -1
    else:
        r = vcpu_run(vcpu)

    vcpu_put(vcpu)
    return r

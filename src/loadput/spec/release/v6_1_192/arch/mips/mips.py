"""What differs from v6.1.

Mirrors: arch/mips/kvm/mips.c, v6.1.192
"""


# [Modified in release:v6.1.192]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/mips/kvm/mips.c, v6.1.192; Omits: as in arch:mips"""
    vcpu_load(vcpu)

    if vcpu.wants_to_run:
        kvm_mips_run_guest(vcpu)

    vcpu_put(vcpu)

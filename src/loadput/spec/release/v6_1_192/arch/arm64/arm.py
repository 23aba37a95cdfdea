"""What differs from v6.1.

Mirrors: arch/arm64/kvm/arm.c, v6.1.192
"""


# [Modified in release:v6.1.192]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/arm64/kvm/arm.c, v6.1.192"""
    vcpu_load(vcpu)

    if vcpu.wants_to_run:
        kvm_arch_vcpu_run_loop(vcpu)

    vcpu_put(vcpu)

"""What differs from v6.1.

Mirrors: arch/powerpc/kvm/powerpc.c, v6.1.192
"""


# [Modified in release:v6.1.192]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/powerpc/kvm/powerpc.c, v6.1.192; Omits: as in arch:powerpc"""
    vcpu_load(vcpu)

    if vcpu.wants_to_run:
        kvmppc_vcpu_run_hv(vcpu)

    vcpu_put(vcpu)

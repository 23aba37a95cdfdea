"""KVM_RUN of v6.1.

Mirrors: arch/mips/kvm/mips.c, v6.1
"""


# [Modified in release:v6.1]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/mips/kvm/mips.c, v6.1; Omits: as in arch:mips"""
    vcpu_load(vcpu)

    if not vcpu.immediate_exit:
        kvm_mips_run_guest(vcpu)

    vcpu_put(vcpu)

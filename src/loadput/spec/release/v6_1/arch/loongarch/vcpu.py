"""v6.1 has no KVM on loongarch: this is the first that there was, over the common code of v6.1.

Mirrors: arch/loongarch/kvm/vcpu.c, v6.7
"""


# [Modified in release:v6.1]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/loongarch/kvm/vcpu.c, v6.7, up to lose_fpu()"""
    if vcpu.immediate_exit:
        return

    kvm_arch_vcpu_run_loop(vcpu)

"""The powerpc part of design A: nothing to do at sched_in.

Mirrors: arch/powerpc/include/asm/kvm_host.h, v6.1
"""


# [Modified in design:A]
def kvm_arch_sched_in(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_sched_in(), arch/powerpc/include/asm/kvm_host.h, v6.1"""
    pass

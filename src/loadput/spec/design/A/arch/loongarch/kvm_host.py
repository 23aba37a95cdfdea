"""The loongarch part of design A: nothing to do at sched_in.

Mirrors: arch/loongarch/include/asm/kvm_host.h, v6.10
"""


# [Modified in design:A]
def kvm_arch_sched_in(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_sched_in(), arch/loongarch/include/asm/kvm_host.h, v6.10"""
    pass

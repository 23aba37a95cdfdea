"""The s390 part of design A: nothing to do at sched_in.

Mirrors: arch/s390/include/asm/kvm_host.h, v6.1
"""


# [Modified in design:A]
def kvm_arch_sched_in(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_sched_in(), arch/s390/include/asm/kvm_host.h, v6.1"""
    pass

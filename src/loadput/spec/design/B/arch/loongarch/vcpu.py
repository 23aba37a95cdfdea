"""The loongarch part of design B: a parameter that nothing here reads.

Mirrors: arch/loongarch/kvm/vcpu.c after 20240430193157.419425-1-seanjc@google.com
"""


# [Modified in design:B]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool):
    """Mirrors: kvm_arch_vcpu_load(), arch/loongarch/kvm/vcpu.c; Context: as in arch:loongarch"""
    local_irq_save(flags)
    with atomic:
        _kvm_vcpu_load(vcpu, cpu)
    local_irq_restore(flags)

"""The mips part of design B: a parameter that nothing here reads.

Mirrors: arch/mips/kvm/mmu.c after 20240430193157.419425-1-seanjc@google.com
"""


# [Modified in design:B]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool):
    """Mirrors: kvm_arch_vcpu_load(), arch/mips/kvm/mmu.c; Context, Omits: as in arch:mips"""
    local_irq_save(flags)
    with atomic:
        vcpu.cpu = cpu

        kvm_vz_vcpu_load(vcpu, cpu)
    local_irq_restore(flags)

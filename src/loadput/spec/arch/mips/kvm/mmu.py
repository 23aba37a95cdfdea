"""Load and put.

Mirrors: arch/mips/kvm/mmu.c, v6.12
"""


# [New in arch:mips]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/mips/kvm/mmu.c, v6.12

    Context: preemption off; IRQs on, rq lock not held. No other CPU looks at what it does: one step
    Omits: the timer that a vCPU takes along
    """
    local_irq_save(flags)
    with atomic:
        vcpu.cpu = cpu

        kvm_vz_vcpu_load(vcpu, cpu)
    local_irq_restore(flags)


# [New in arch:mips]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/mips/kvm/mmu.c, v6.12

    Context: preemption off; at sched_out IRQs off and rq lock held. One step, as the load
    """
    local_irq_save(flags)
    with atomic:
        cpu = smp_processor_id()
        vcpu.arch.last_sched_cpu = cpu
        vcpu.cpu = -1

        kvm_vz_vcpu_put(vcpu, cpu)
    local_irq_restore(flags)

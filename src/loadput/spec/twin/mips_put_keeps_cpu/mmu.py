# [Modified in twin:mips_put_keeps_cpu]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """As kvm_arch_vcpu_put(), arch/mips/kvm/mmu.c, without the store of vcpu->cpu."""
    local_irq_save(flags)
    with atomic:
        cpu = smp_processor_id()
        vcpu.arch.last_sched_cpu = cpu

        kvm_vz_vcpu_put(vcpu, cpu)
    local_irq_restore(flags)

# [Modified in twin:mips_exit_cpu]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """As kvm_arch_vcpu_put(), arch/mips/kvm/mmu.c, without last_sched_cpu."""
    local_irq_save(flags)
    with atomic:
        cpu = smp_processor_id()
        vcpu.cpu = -1

        kvm_vz_vcpu_put(vcpu, cpu)
    local_irq_restore(flags)


# [Modified in twin:mips_exit_cpu]
def guest_state_exit_irqoff():
    """As where riscv v7.1 sets last_exit_cpu."""
    current.vcpu.arch.last_sched_cpu = smp_processor_id()

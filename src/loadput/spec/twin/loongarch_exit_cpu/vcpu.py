# [Modified in twin:loongarch_exit_cpu]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """As kvm_arch_vcpu_put(), arch/loongarch/kvm/vcpu.c, without last_sched_cpu."""
    local_irq_save(flags)
    with atomic:
        _kvm_vcpu_put(vcpu, smp_processor_id())
    local_irq_restore(flags)


# [Modified in twin:loongarch_exit_cpu]
def guest_state_exit_irqoff():
    """As where riscv v7.1 sets last_exit_cpu."""
    current.vcpu.arch.last_sched_cpu = smp_processor_id()

# [Modified in twin:loongarch_exit_cpu]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """As kvm_arch_vcpu_put(), arch/loongarch/kvm/vcpu.c, without last_sched_cpu."""
    if vcpu.preempted and guest_knows_preempt:
        kvm_vcpu_set_pv_preempted(vcpu)

    local_irq_save(flags)
    with atomic:
        cpu = smp_processor_id()

        _kvm_vcpu_put(vcpu, cpu)
    local_irq_restore(flags)

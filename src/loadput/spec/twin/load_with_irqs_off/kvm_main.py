"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:load_with_irqs_off]
def kvm_sched_in(pn: ptr[preempt_notifier], cpu: cpu):
    """As kvm_sched_in(), with interrupts off around the load."""
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.preempted, False)
    WRITE_ONCE(vcpu.ready, False)

    __this_cpu_write(kvm_running_vcpu, vcpu)
    local_irq_disable()
    kvm_arch_vcpu_load(vcpu, cpu)
    local_irq_enable()

    WRITE_ONCE(vcpu.scheduled_out, False)

"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:wakeup_in_put]
def kvm_sched_out(pn: ptr[preempt_notifier], next: ptr[task_struct]):
    """As kvm_sched_out(), waking the vCPU."""
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.scheduled_out, True)

    if task_is_runnable(current) and vcpu.wants_to_run:
        WRITE_ONCE(vcpu.preempted, True)
        WRITE_ONCE(vcpu.ready, True)

    kvm_arch_vcpu_put(vcpu)
    kvm_vcpu_wake_up(vcpu)
    __this_cpu_write(kvm_running_vcpu, NULL)

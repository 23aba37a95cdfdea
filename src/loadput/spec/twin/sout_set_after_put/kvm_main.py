"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:sout_set_after_put]
def kvm_sched_out(pn: ptr[preempt_notifier], next: ptr[task_struct]):
    """As kvm_sched_out(), setting scheduled_out last."""
    vcpu = preempt_notifier_to_vcpu(pn)

    if task_is_runnable(current) and vcpu.wants_to_run:
        WRITE_ONCE(vcpu.preempted, True)
        WRITE_ONCE(vcpu.ready, True)

    kvm_arch_vcpu_put(vcpu)
    __this_cpu_write(kvm_running_vcpu, NULL)

    WRITE_ONCE(vcpu.scheduled_out, True)

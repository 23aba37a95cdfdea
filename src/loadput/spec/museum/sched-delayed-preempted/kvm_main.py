"""virt/kvm/kvm_main.c, as it was."""


# [Modified in museum:sched-delayed-preempted]
def kvm_sched_out(pn: ptr[preempt_notifier], next: ptr[task_struct]):
    """A task that is on a queue is taken for one that would run."""
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.scheduled_out, True)

    if current.on_rq and vcpu.wants_to_run:
        WRITE_ONCE(vcpu.preempted, True)
        WRITE_ONCE(vcpu.ready, True)

    kvm_arch_vcpu_put(vcpu)
    __this_cpu_write(kvm_running_vcpu, NULL)

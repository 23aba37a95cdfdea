"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:on_rq_ignored]
def kvm_sched_out(pn: ptr[preempt_notifier], next: ptr[task_struct]):
    """As kvm_sched_out() of v6.12, without the test of on_rq."""
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.scheduled_out, True)
    if vcpu.wants_to_run:
        WRITE_ONCE(vcpu.preempted, True)
        WRITE_ONCE(vcpu.ready, True)
    kvm_arch_vcpu_put(vcpu)
    __this_cpu_write(kvm_running_vcpu, NULL)

"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:no_load_at_sched_in]
def kvm_sched_in(pn: ptr[preempt_notifier], cpu: cpu):
    """As kvm_sched_in(), without the load."""
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.preempted, False)
    WRITE_ONCE(vcpu.ready, False)

    __this_cpu_write(kvm_running_vcpu, vcpu)
    WRITE_ONCE(vcpu.scheduled_out, False)

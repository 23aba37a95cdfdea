"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:ready_never_set]
def kvm_sched_out(pn: ptr[preempt_notifier], next: ptr[task_struct]):
    """As kvm_sched_out(), without ready."""
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.scheduled_out, True)

    if task_is_runnable(current) and vcpu.wants_to_run:
        WRITE_ONCE(vcpu.preempted, True)

    kvm_arch_vcpu_put(vcpu)
    __this_cpu_write(kvm_running_vcpu, NULL)


# [Modified in twin:ready_never_set]
def kvm_vcpu_wake_up(vcpu: ptr[kvm_vcpu]) -> bool:
    """As kvm_vcpu_wake_up(), without ready."""
    return __kvm_vcpu_wake_up(vcpu)

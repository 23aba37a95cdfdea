"""virt/kvm/kvm_main.c, as it was."""


# [Modified in museum:preempted-iff-running]
def kvm_sched_out(pn: ptr[preempt_notifier], next: ptr[task_struct]):
    """Nothing asks whether the task is in KVM_RUN."""
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.scheduled_out, True)

    if task_is_runnable(current):
        WRITE_ONCE(vcpu.preempted, True)
        WRITE_ONCE(vcpu.ready, True)

    kvm_arch_vcpu_put(vcpu)
    __this_cpu_write(kvm_running_vcpu, NULL)

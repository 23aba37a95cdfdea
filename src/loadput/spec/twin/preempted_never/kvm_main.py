"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:preempted_never]
def kvm_sched_out(pn: ptr[preempt_notifier], next: ptr[task_struct]):
    """As kvm_sched_out(), without preempted and ready."""
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.scheduled_out, True)

    kvm_arch_vcpu_put(vcpu)
    __this_cpu_write(kvm_running_vcpu, NULL)

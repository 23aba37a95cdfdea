"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:flags_never_cleared]
def kvm_sched_in(pn: ptr[preempt_notifier], cpu: cpu):
    """As kvm_sched_in(), leaving preempted and ready alone."""
    vcpu = preempt_notifier_to_vcpu(pn)

    __this_cpu_write(kvm_running_vcpu, vcpu)
    kvm_arch_vcpu_load(vcpu, cpu)

    WRITE_ONCE(vcpu.scheduled_out, False)

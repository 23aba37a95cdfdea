"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:sout_cleared_before_load]
def kvm_sched_in(pn: ptr[preempt_notifier], cpu: cpu):
    """As kvm_sched_in(), clearing scheduled_out before the load."""
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.preempted, False)
    WRITE_ONCE(vcpu.ready, False)

    WRITE_ONCE(vcpu.scheduled_out, False)

    __this_cpu_write(kvm_running_vcpu, vcpu)
    kvm_arch_vcpu_load(vcpu, cpu)

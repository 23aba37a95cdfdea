# [Modified in twin:nv_sout_kept]
def kvm_sched_in(pn: ptr[preempt_notifier], cpu: cpu):
    """As kvm_sched_in(), leaving scheduled_out alone."""
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.preempted, False)
    WRITE_ONCE(vcpu.ready, False)

    __this_cpu_write(kvm_running_vcpu, vcpu)
    kvm_arch_vcpu_load(vcpu, cpu)

"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:wants_honoured]
def kvm_sched_out(pn: ptr[preempt_notifier], next: ptr[task_struct]):
    """As kvm_sched_out() of v6.1.192, with the test that v6.12 has."""
    vcpu = preempt_notifier_to_vcpu(pn)

    if current.on_rq and vcpu.wants_to_run:
        WRITE_ONCE(vcpu.preempted, True)
        WRITE_ONCE(vcpu.ready, True)
    kvm_arch_vcpu_put(vcpu)
    __this_cpu_write(kvm_running_vcpu, NULL)

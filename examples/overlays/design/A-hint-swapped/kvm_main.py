"""The common part of design A with the two calls the other way round."""


# [Modified in design:A-hint-swapped]
def kvm_sched_in(pn: ptr[preempt_notifier], cpu: cpu):
    """The vCPU's task has a CPU again: load the vCPU, then tell the architecture.

    Mirrors: kvm_sched_in(), virt/kvm/kvm_main.c, v6.1, with two calls swapped
    """
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.preempted, False)
    WRITE_ONCE(vcpu.ready, False)

    __this_cpu_write(kvm_running_vcpu, vcpu)
    kvm_arch_vcpu_load(vcpu, cpu)
    kvm_arch_sched_in(vcpu, cpu)

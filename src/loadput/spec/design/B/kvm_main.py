"""The common part of design B.

Mirrors: virt/kvm/kvm_main.c after 20240430193157.419425-1-seanjc@google.com, with preempted and
ready as in v6.12
"""


# [Modified in design:B]
def vcpu_load(vcpu: ptr[kvm_vcpu]):
    """Switches to specified vcpu, until a matching vcpu_put().

    Mirrors: vcpu_load(), virt/kvm/kvm_main.c
    """
    cpu = get_cpu()

    __this_cpu_write(kvm_running_vcpu, vcpu)
    preempt_notifier_register(addr(vcpu.preempt_notifier))
    kvm_arch_vcpu_load(vcpu, cpu, False)
    put_cpu()


# [Modified in design:B]
def kvm_sched_in(pn: ptr[preempt_notifier], cpu: cpu):
    """The vCPU's task has a CPU again: load the vCPU.

    Mirrors: kvm_sched_in(), virt/kvm/kvm_main.c
    """
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.preempted, False)
    WRITE_ONCE(vcpu.ready, False)

    __this_cpu_write(kvm_running_vcpu, vcpu)
    kvm_arch_vcpu_load(vcpu, cpu, True)


# [Modified in design:B]
def kvm_sched_out(pn: ptr[preempt_notifier], next: ptr[task_struct]):
    """Put the vCPU whose task is being switched out.

    Mirrors: kvm_sched_out(), virt/kvm/kvm_main.c, v6.12, without scheduled_out
    """
    vcpu = preempt_notifier_to_vcpu(pn)

    if task_is_runnable(current) and vcpu.wants_to_run:
        WRITE_ONCE(vcpu.preempted, True)
        WRITE_ONCE(vcpu.ready, True)

    kvm_arch_vcpu_put(vcpu)
    __this_cpu_write(kvm_running_vcpu, NULL)

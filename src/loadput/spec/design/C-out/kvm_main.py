"""The common part of design C-out.

Mirrors: virt/kvm/kvm_main.c as ZjJRhQhX_12eBvY-@google.com describes it
"""


# [New in design:C-out]
def kvm_arch_sched_out(vcpu: ptr[kvm_vcpu]):
    """The default: the put.

    Mirrors: nothing that was posted; the mail has it in words
    """
    kvm_arch_vcpu_put(vcpu)


# [Modified in design:C-out]
def kvm_sched_out(pn: ptr[preempt_notifier], next: ptr[task_struct]):
    """The architecture puts the vCPU whose task is being switched out.

    Mirrors: kvm_sched_out(), virt/kvm/kvm_main.c, as described
    """
    vcpu = preempt_notifier_to_vcpu(pn)

    if task_is_runnable(current) and vcpu.wants_to_run:
        WRITE_ONCE(vcpu.preempted, True)
        WRITE_ONCE(vcpu.ready, True)

    kvm_arch_sched_out(vcpu)
    __this_cpu_write(kvm_running_vcpu, NULL)

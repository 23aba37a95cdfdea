"""The common path of v6.1.

Mirrors: virt/kvm/kvm_main.c, v6.1
"""


# [Modified in release:v6.1]
def kvm_sched_out(pn: ptr[preempt_notifier], next: ptr[task_struct]):
    """Put the vCPU whose task is being switched out.

    Mirrors: kvm_sched_out(), virt/kvm/kvm_main.c, v6.1
    """
    vcpu = preempt_notifier_to_vcpu(pn)

    if current.on_rq:
        WRITE_ONCE(vcpu.preempted, True)
        WRITE_ONCE(vcpu.ready, True)
    kvm_arch_vcpu_put(vcpu)
    __this_cpu_write(kvm_running_vcpu, NULL)


# [Modified in release:v6.1]
def kvm_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """The KVM_RUN case of the vCPU's ioctl.

    Mirrors: kvm_vcpu_ioctl() case KVM_RUN, virt/kvm/kvm_main.c, v6.1; ``immediate_exit`` is free
    """
    lock_vcpu(vcpu)
    vcpu.immediate_exit = choose()
    kvm_arch_vcpu_ioctl_run(vcpu)
    vcpu.immediate_exit = False
    unlock_vcpu(vcpu)

"""The common part of design A.

Mirrors: virt/kvm/kvm_main.c, v6.1
"""


# [New in design:A]
def kvm_arch_sched_in(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Nothing, where the architecture has no use for it.

    Mirrors: kvm_arch_sched_in(), arch/arm64/include/asm/kvm_host.h,
    arch/riscv/include/asm/kvm_host.h, v6.1
    """
    pass


# [Modified in design:A]
def kvm_sched_in(pn: ptr[preempt_notifier], cpu: cpu):
    """The vCPU's task has a CPU again: tell the architecture, then load the vCPU.

    Mirrors: kvm_sched_in(), virt/kvm/kvm_main.c, v6.1
    """
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.preempted, False)
    WRITE_ONCE(vcpu.ready, False)

    __this_cpu_write(kvm_running_vcpu, vcpu)
    kvm_arch_sched_in(vcpu, cpu)
    kvm_arch_vcpu_load(vcpu, cpu)


# [Modified in design:A]
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

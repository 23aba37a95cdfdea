"""The common path.

Mirrors: virt/kvm/kvm_main.c, v6.12
"""

kvm_running_vcpu: per_cpu[ptr[kvm_vcpu]]


def vcpu_load(vcpu: ptr[kvm_vcpu]):
    """Switches to specified vcpu, until a matching vcpu_put().

    Mirrors: vcpu_load(), virt/kvm/kvm_main.c, v6.12
    Context: task, preemptible; vcpu->mutex held but where a vCPU is made or destroyed
    """
    cpu = get_cpu()

    __this_cpu_write(kvm_running_vcpu, vcpu)
    preempt_notifier_register(addr(vcpu.preempt_notifier))
    kvm_arch_vcpu_load(vcpu, cpu)
    put_cpu()


def vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vcpu_put(), virt/kvm/kvm_main.c, v6.12"""
    preempt_disable()
    kvm_arch_vcpu_put(vcpu)
    preempt_notifier_unregister(addr(vcpu.preempt_notifier))
    __this_cpu_write(kvm_running_vcpu, NULL)
    preempt_enable()


def kvm_sched_in(pn: ptr[preempt_notifier], cpu: cpu):
    """The vCPU's task has a CPU again: load the vCPU.

    Mirrors: kvm_sched_in(), virt/kvm/kvm_main.c, v6.12
    Context: on the new stack, IRQs on, preempt_count 1, rq lock not held
    """
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.preempted, False)
    WRITE_ONCE(vcpu.ready, False)

    __this_cpu_write(kvm_running_vcpu, vcpu)
    kvm_arch_vcpu_load(vcpu, cpu)

    WRITE_ONCE(vcpu.scheduled_out, False)


def kvm_sched_out(pn: ptr[preempt_notifier], next: ptr[task_struct]):
    """Put the vCPU whose task is being switched out.

    Mirrors: kvm_sched_out(), virt/kvm/kvm_main.c, v6.12
    Context: rq lock held, IRQs off; current is still the vCPU's task, rq->curr is next
    """
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.scheduled_out, True)

    if task_is_runnable(current) and vcpu.wants_to_run:
        WRITE_ONCE(vcpu.preempted, True)
        WRITE_ONCE(vcpu.ready, True)

    kvm_arch_vcpu_put(vcpu)
    __this_cpu_write(kvm_running_vcpu, NULL)


def kvm_get_running_vcpu() -> ptr[kvm_vcpu]:
    """Mirrors: kvm_get_running_vcpu(), virt/kvm/kvm_main.c, v6.12"""
    preempt_disable()
    vcpu = __this_cpu_read(kvm_running_vcpu)
    preempt_enable()
    return vcpu


def kvm_vcpu_check_block(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: kvm_vcpu_check_block(), virt/kvm/kvm_main.c, v6.12; Omits: timers, srcu"""
    if kvm_arch_vcpu_runnable(vcpu):
        return -1
    if signal_pending(current):
        return -1
    if kvm_check_request(KVM_REQ_UNBLOCK, vcpu):
        return -1
    return 0


def kvm_vcpu_block(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_block(), virt/kvm/kvm_main.c, v6.12

    Omits: whether it waited, which only statistics ask
    """
    wait = kvm_arch_vcpu_get_wait(vcpu)

    preempt_disable()
    kvm_arch_vcpu_blocking(vcpu)
    prepare_to_rcuwait(wait)
    preempt_enable()

    while True:
        set_current_state(TASK_INTERRUPTIBLE)

        if kvm_vcpu_check_block(vcpu) < 0:
            break

        schedule()

    preempt_disable()
    finish_rcuwait(wait)
    kvm_arch_vcpu_unblocking(vcpu)
    preempt_enable()


def kvm_vcpu_halt(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_halt(), virt/kvm/kvm_main.c, v6.12; Omits: halt polling, statistics"""
    kvm_vcpu_block(vcpu)


def kvm_vcpu_wake_up(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_vcpu_wake_up(), virt/kvm/kvm_main.c, v6.12; Omits: statistics"""
    if __kvm_vcpu_wake_up(vcpu):
        WRITE_ONCE(vcpu.ready, True)
        return True

    return False


def kvm_vcpu_kick(vcpu: ptr[kvm_vcpu]):
    """Kick a sleeping VCPU, or a guest VCPU in guest mode, into host kernel mode.

    Mirrors: kvm_vcpu_kick(), virt/kvm/kvm_main.c, v6.12
    """
    if kvm_vcpu_wake_up(vcpu):
        return

    me = get_cpu()
    if vcpu == __this_cpu_read(kvm_running_vcpu):
        if vcpu.mode == IN_GUEST_MODE:
            WRITE_ONCE(vcpu.mode, EXITING_GUEST_MODE)
    elif kvm_arch_vcpu_should_kick(vcpu):
        cpu = READ_ONCE(vcpu.cpu)
        if cpu != me and cpu >= 0 and cpu_online(cpu):
            smp_send_reschedule(cpu)
    put_cpu()


def kvm_arch_vcpu_should_kick(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_arch_vcpu_should_kick() of x86, arm64 and riscv, v6.12"""
    return kvm_vcpu_exiting_guest_mode(vcpu) == IN_GUEST_MODE


def kvm_arch_dy_runnable(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_arch_dy_runnable(), virt/kvm/kvm_main.c, v6.12 (__weak)"""
    return kvm_arch_vcpu_runnable(vcpu)


def vcpu_dy_runnable(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: vcpu_dy_runnable(), virt/kvm/kvm_main.c, v6.12; Omits: async page faults"""
    return kvm_arch_dy_runnable(vcpu)


def kvm_arch_dy_has_pending_interrupt(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_arch_dy_has_pending_interrupt(), virt/kvm/kvm_main.c, v6.12 (__weak)"""
    return False


def kvm_arch_vcpu_preempted_in_kernel(vcpu: ptr[kvm_vcpu]) -> bool:
    """Free: where the guest was when its vCPU was preempted.

    Mirrors: kvm_arch_vcpu_preempted_in_kernel(), virt/kvm/kvm_main.c, v6.12 (__weak)
    """
    return choose()


def kvm_vcpu_yield_to(target: ptr[kvm_vcpu]) -> int:
    """Ask the scheduler to run the target next, and give the CPU away where it says that it will.

    Mirrors: kvm_vcpu_yield_to(), virt/kvm/kvm_main.c; yield_to(), kernel/sched/syscalls.c, v6.12
    Context: where the kernel is preemptible, the CPU is given away at any time
    """
    yielded = choose(-1, 1)
    if yielded > 0:
        cond_resched()
    return yielded


def kvm_vcpu_on_spin(me: ptr[kvm_vcpu], yield_to_kernel_mode: bool):
    """A vCPU spins: give its time to one that was preempted or woken and has not run yet.

    Mirrors: kvm_vcpu_on_spin(), virt/kvm/kvm_main.c, v6.12
    Omits: where the scan starts (last_boosted_vcpu): it looks at the vCPUs in any order and
    stops at any point; spin_loop eligibility is free; a yield that succeeds ends it.
    """
    for vcpu in each(kvm_vcpu):
        if not READ_ONCE(vcpu.ready):
            continue
        if vcpu == me:
            continue
        if kvm_vcpu_is_blocking(vcpu) and not vcpu_dy_runnable(vcpu):
            continue
        if (
            READ_ONCE(vcpu.preempted)
            and yield_to_kernel_mode
            and not kvm_arch_dy_has_pending_interrupt(vcpu)
            and not kvm_arch_vcpu_preempted_in_kernel(vcpu)
        ):
            continue
        if kvm_vcpu_yield_to(vcpu) > 0:
            break


def kvm_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """The KVM_RUN case of the vCPU's ioctl.

    Mirrors: kvm_vcpu_ioctl() case KVM_RUN, virt/kvm/kvm_main.c, v6.12; immediate_exit, which user space
    has in struct kvm_run, is free
    Omits: vcpu->pid, which becomes the caller's where another thread comes; who is yielded to is free
    """
    lock_vcpu(vcpu)
    vcpu.immediate_exit = choose()
    vcpu.wants_to_run = not vcpu.immediate_exit
    kvm_arch_vcpu_ioctl_run(vcpu)
    vcpu.wants_to_run = False
    vcpu.immediate_exit = False
    unlock_vcpu(vcpu)


def kvm_vcpu_ioctl_get_regs(vcpu: ptr[kvm_vcpu]):
    """A vCPU ioctl that is not KVM_RUN: load, look at the vCPU, put.

    Mirrors: kvm_vcpu_ioctl() case KVM_GET_REGS, virt/kvm/kvm_main.c;
    kvm_arch_vcpu_ioctl_get_regs(), arch/x86/kvm/regs.c, v6.12
    """
    lock_vcpu(vcpu)
    vcpu_load(vcpu)
    vcpu_put(vcpu)
    unlock_vcpu(vcpu)

"""In which context things happen: interrupts, preemption, the run queue's lock, the way out."""


@property_(
    source="Documentation/virt/kvm/vcpu-requests.rst, IPI reduction; guest_state_enter_irqoff(),"
    " include/linux/kvm_host.h, v6.12",
    twin="entry_with_irqs_on",
)
@at_entry(guest_state_enter_irqoff)
def ENTRY_CONTEXT() -> bool:
    """A guest is entered with interrupts off, by the task that has its vCPU loaded on this CPU."""
    return irqs_disabled() and current.loaded != NULL


@property_(
    source="Documentation/virt/kvm/vcpu-requests.rst, v6.12: mode is IN_GUEST_MODE before the last"
    " kvm_request_pending() check; all architectures but s390",
    twin="mode_never_in_guest",
    needs="kvm_vcpu.mode",
)
@at_entry(guest_state_enter_irqoff)
def ENTRY_MODE() -> bool:
    """A guest is entered in a mode in which a kick sends its CPU an IPI."""
    vcpu = current.loaded
    return vcpu == NULL or vcpu.mode != OUTSIDE_GUEST_MODE


@property_(
    source="virt/kvm/kvm_main.c vcpu_put(), kvm_vcpu_block(), v6.12",
    twin="notifier_kept",
)
@at_exit(arch_exit_to_user_mode_prepare)
def USER_RETURN_CLEAN() -> bool:
    """A task returns to user mode with its state running, and without a vCPU: no notifier of one."""
    return current.__state == TASK_RUNNING and current.preempt_notifiers == NULL


@property_(
    source="lockdep_sys_exit(), kernel/locking/lockdep.c; virt/kvm/kvm_main.c kvm_vcpu_ioctl(), v6.12",
    twin="mutex_kept",
)
@at_exit(kvm_vcpu_ioctl_run)
@at_exit(kvm_vcpu_ioctl_get_regs)
def IOCTL_CLEAN(vcpu: ptr[kvm_vcpu]) -> bool:
    """A vCPU's ioctl ends with its mutex free and not waited for, unless another thread has taken it
    since, and with a vCPU that no longer runs, waits or wants to run.
    """
    if vcpu.mutex_owner != NULL and vcpu.mutex_owner != current:
        return True
    if vcpu.mutex or vcpu.mutex_owner != NULL or current.waits_for != NULL:
        return False
    if vcpu.wants_to_run or rcuwait_active(kvm_arch_vcpu_get_wait(vcpu)):
        return False
    return vcpu.mode == OUTSIDE_GUEST_MODE


@property_(
    source="syscall_exit_to_user_mode_prepare(), kernel/entry/common.c; schedule_debug(),"
    " __might_resched(), preempt_count_add(), preempt_count_sub(), kernel/sched/core.c, v6.12",
    twin="preempt_count_kept",
)
@at_entry(exit_to_user_mode)
@at_entry(schedule)
@at_entry(cond_resched)
@at_entry(xfer_to_guest_mode_handle_work)
@at_entry(kvm_vcpu_block)
@at_entry(sie64a)
@at_entry(irqs_are_on_in_sie)
def CONTEXT_BALANCED() -> bool:
    """Where a task may sleep, runs a guest that does not keep its CPU (s390), or returns to user mode,
    interrupts and preemption are enabled as often as disabled; so they are when an interrupt's handler
    or the scheduler is done, and never more often.
    """
    return preempt_count() == 0 and not irqs_disabled()


@property_(
    source="kernel/sched/core.c __schedule(), context_switch(), v6.12",
    twin="rq_curr_kept",
)
@at_entry(__schedule)
def RQ_CURR() -> bool:
    """A task that gives up its CPU is the run queue's current one, and the queue's lock is free."""
    return this_cpu(rq_curr) == current and not this_cpu(rq_lock)


class task_struct(struct):
    has_cpu: ghost[bool] = starts_on_cpu


@property_(
    source="kernel/locking/mutex.c __mutex_lock_common(), __mutex_unlock_slowpath(), v6.12",
    twin="mutex_waiter_not_woken",
)
@at_exit(unlock_vcpu)
def UNLOCK_WAKES(vcpu: ptr[kvm_vcpu]) -> bool:
    """Who has let a vCPU's mutex go has woken the other thread that sleeps for it, unless that sleeps
    no longer for it or the mutex is taken again. Of three threads a third may be about to.
    """
    if not vcpu.shared:
        return True
    for t in each(task_struct):
        if t.waits_for == vcpu and is_asleep(t) and not vcpu.mutex and not is_third(t, vcpu):
            return False
    return True


def is_third(t: ptr[task_struct], vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: for properties: beside the task and the present one another has the vCPU."""
    for u in each(task_struct):
        if u.vcpu == vcpu and u != t and u != current:
            return True
    return False


@property_(
    source="kernel/sched/core.c try_to_wake_up(), finish_task(), v6.12: on_cpu",
    twin="on_cpu_not_waited_for",
)
@at_entry(__switch_to)
def ONE_CPU_A_TASK(prev: ptr[task_struct], next: ptr[task_struct]) -> bool:
    """A task comes to a CPU only when no other one runs it any more."""
    return next.is_idle or not next.has_cpu


@monitor
@at_exit(__switch_to)
def cpu_changes_hands(prev: ptr[task_struct], next: ptr[task_struct]):
    prev.has_cpu = False
    next.has_cpu = True


@property_(
    source="kernel/sched/core.c __schedule(), virt/kvm/kvm_main.c kvm_vcpu_ioctl(), v6.12",
    twin="rq_lock_kept",
)
@stuck
def ALL_BLOCKED() -> bool:
    """When nothing moves any more, every task sleeps: none waits for a CPU, a lock or an answer;
    memory aside, for which the kernel does not wait.
    """
    if is_out_of_memory():
        return True
    for t in each(task_struct):
        if not t.is_idle and not is_asleep(t):
            return False
    return True

"""What load and put, the notifiers and kvm_running_vcpu promise each other."""


class task_struct(struct):
    loaded: ghost[ptr[kvm_vcpu]]
    vcpu_open: ghost[ptr[kvm_vcpu]]


class kvm_vcpu(struct):
    loaded_on: ghost[cpu] = -1


loaded_vcpu: per_cpu[ghost[ptr[kvm_vcpu]]]


@monitor
@at_exit(kvm_arch_vcpu_load)
def is_loaded(vcpu: ptr[kvm_vcpu]):
    this_cpu_write(loaded_vcpu, vcpu)
    vcpu.loaded_on = smp_processor_id()
    current.loaded = vcpu


@monitor
@at_entry(kvm_arch_vcpu_put)
def is_put(vcpu: ptr[kvm_vcpu]):
    this_cpu_write(loaded_vcpu, NULL)
    vcpu.loaded_on = -1
    current.loaded = NULL


@property_(
    source="virt/kvm/kvm_main.c kvm_get_running_vcpu() and its users in interrupts, v6.12",
    twin="running_kept",
)
@at_entry(observe_from_irq)
def RUNNING_EXACT(seen: ptr[kvm_vcpu]) -> bool:
    """An interrupt finds in kvm_running_vcpu nothing, or the vCPU of the task that it interrupts."""
    return seen == NULL or seen == current.vcpu


@monitor
@at_entry(kvm_arch_vcpu_load)
def opens(vcpu: ptr[kvm_vcpu]):
    if current.via == VIA_VCPU_LOAD:
        current.vcpu_open = vcpu


@monitor
@at_exit(kvm_arch_vcpu_put)
def closes(vcpu: ptr[kvm_vcpu]):
    if current.via == VIA_VCPU_PUT:
        current.vcpu_open = NULL


@property_(
    source="virt/kvm/kvm_main.c vcpu_load(), kvm_sched_out(), v6.12: set before the load, cleared after"
    " the put",
    twin="running_cleared_before_put",
)
@at_entry(kvm_arch_vcpu_load)
@at_exit(kvm_arch_vcpu_load)
@at_entry(kvm_arch_vcpu_put)
@at_exit(kvm_arch_vcpu_put)
def LOADED_IMPLIES_RUNNING(vcpu: ptr[kvm_vcpu]) -> bool:
    """The arch load and put find their vCPU in kvm_running_vcpu, from their entry to their exit."""
    return __this_cpu_read(kvm_running_vcpu) == vcpu


@property_(
    source="virt/kvm/kvm_main.c vcpu_load(), vcpu->mutex and on_cpu of kernel/sched/core.c, v6.12",
    twin="no_put_at_sched_out",
)
@at_entry(kvm_arch_vcpu_load)
def AT_MOST_ONE_CPU(vcpu: ptr[kvm_vcpu]) -> bool:
    """A vCPU is loaded on one CPU at most, and a CPU has one vCPU loaded at most."""
    return vcpu.loaded_on == -1 and this_cpu(loaded_vcpu) == NULL


def may_be_others(p: ptr[task_struct]) -> bool:
    """Ours: whether another thread may have loaded the task's vCPU, which it has not open itself."""
    return p.vcpu.shared and p.preempt_notifiers == NULL


@property_(
    source="virt/kvm/kvm_main.c vcpu_put(), kvm_sched_out(), v6.12",
    twin="no_load_at_sched_in",
)
@at_entry(kvm_arch_vcpu_put)
def PUT_BEFORE_LOAD(vcpu: ptr[kvm_vcpu]) -> bool:
    """Every put undoes a load that was done on this CPU, and is complete before the next load."""
    return vcpu.was_loaded_on == smp_processor_id()


class kvm_vcpu(struct):
    was_loaded_on: ghost[cpu] = -1


@monitor
@at_exit(kvm_arch_vcpu_load)
def load_is_complete(vcpu: ptr[kvm_vcpu]):
    vcpu.was_loaded_on = smp_processor_id()


@monitor
@at_exit(kvm_arch_vcpu_put)
def put_is_complete(vcpu: ptr[kvm_vcpu]):
    vcpu.was_loaded_on = -1


@property_(
    source="kernel/sched/core.c fire_sched_out_preempt_notifiers(), v6.12, which walks the list",
    twin="notifier_kept",
)
@at_entry(fire_sched_out_preempt_notifiers)
@at_entry(fire_sched_in_preempt_notifiers)
def NOTIFIER_IFF(curr: ptr[task_struct]) -> bool:
    """The scheduler finds a vCPU's notifier on a task exactly while the task has the vCPU open."""
    mine = curr.vcpu_open
    if mine == NULL:
        return curr.preempt_notifiers == NULL
    return curr.preempt_notifiers == addr(mine.preempt_notifier)


@property_(
    source="virt/kvm/kvm_main.c kvm_vcpu_kick(), v6.12: migrating requires leaving IN_GUEST_MODE",
    twin="mode_left_in_guest",
)
@at_entry(kvm_sched_out)
def IN_GUEST_PINNED(pn: ptr[preempt_notifier]) -> bool:
    """A vCPU's task never loses its CPU while the vCPU's mode is IN_GUEST_MODE."""
    return preempt_notifier_to_vcpu(pn).mode != IN_GUEST_MODE


@property_(
    source="include/linux/kvm_host.h kvm_vcpu_exiting_guest_mode(), virt/kvm/kvm_main.c kvm_vcpu_kick(),"
    " v6.12: the store of mode and the test of requests",
    twin="mode_set_after_request_test",
    replaces="SYNC_REQUEST",
)
@at_entry(guest_runs)
@at_entry(svm_vcpu_enter_exit)
@at_entry(vmx_vcpu_enter_exit)
def NO_LOST_KICK(vcpu: ptr[kvm_vcpu]) -> bool:
    """A guest does not run with a request pending, whichever it is, unless whoever made it is not done
    kicking, or the kick has found the vCPU IN_GUEST_MODE and brings it out again.
    """
    for req in range(0, 4):
        if vcpu.requests[req]:
            return vcpu.mode == EXITING_GUEST_MODE or is_asked(vcpu)
    return True


def is_asked(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: for properties: who asks something of the vCPU is not done."""
    for c in each(cpu):
        if per_cpu(posting_for, c) == vcpu:
            return True
    for t in each(task_struct):
        if t.asks == vcpu:
            return True
    return False


# This CPU has found a vCPU in its guest, and is to send its CPU an IPI.
ipi_owed: per_cpu[ghost[bool]]


class task_struct(struct):
    # The vCPU of another task that this one has made a request for, until it has kicked it.
    asks: ghost[ptr[kvm_vcpu]]


@monitor
@at_entry(kvm_make_request)
def kick_is_promised(req: upto[3], vcpu: ptr[kvm_vcpu]):
    if in_hardirq():
        this_cpu_write(posting_for, vcpu)
    elif current.vcpu != vcpu:
        current.asks = vcpu


@monitor
@at_exit(kvm_make_vcpu_request)
@at_exit(kvm_make_all_cpus_request)
@at_exit(kvm_s390_sync_request)
def kick_is_done():
    current.asks = NULL
    this_cpu_write(ipi_owed, False)


@monitor
@at_exit(kvm_vcpu_exiting_guest_mode)
def ipi_is_owed(vcpu: ptr[kvm_vcpu], ret: int):
    this_cpu_write(ipi_owed, ret == IN_GUEST_MODE)


@monitor
@at_entry(smp_send_reschedule)
def ipi_is_sent(cpu: cpu):
    this_cpu_write(ipi_owed, False)


@monitor
@at_exit(kvm_request_needs_ipi)
@at_exit(kvm_make_vcpu_request_in)
def ipi_is_left_to_others(vcpu: ptr[kvm_vcpu]):
    this_cpu_write(ipi_owed, False)


@property_(
    source="virt/kvm/kvm_main.c kvm_vcpu_kick(), kvm_make_vcpu_request(), v6.12",
    twin="kick_without_ipi",
)
@at_exit(kvm_vcpu_kick)
@at_exit(kvm_make_vcpu_request)
def KICK_SENDS_IPI(vcpu: ptr[kvm_vcpu]) -> bool:
    """A kick that has found the vCPU in the guest sends an IPI, unless the vCPU has come out, or its
    store that says so waits in its CPU's buffer.
    """
    return not this_cpu(ipi_owed) or vcpu.mode != EXITING_GUEST_MODE or store_waits(vcpu.mode)


@monitor
@at_exit(kvm_vcpu_kick)
def kick_ends(vcpu: ptr[kvm_vcpu]):
    if in_hardirq():
        this_cpu_write(posting_for, NULL)
    else:
        current.asks = NULL
    this_cpu_write(ipi_owed, False)


@property_(
    source="kernel/sched/core.c prepare_task_switch(), v6.12: rq lock held, IRQs off",
    twin="wakeup_in_put",
)
@at_entry(rcuwait_wake_up)
def SCHED_OUT_CONTEXT() -> bool:
    """Nothing that a put does from the scheduler wakes a task: the rq lock is held."""
    return in_hardirq() or current.via != VIA_SCHED_OUT


@property_(
    source="include/linux/preempt.h preempt_ops, v6.12: sched_in runs with IRQs on and no lock",
    twin="load_with_irqs_off",
)
@at_entry(kvm_arch_vcpu_load)
def SCHED_IN_CONTEXT(vcpu: ptr[kvm_vcpu]) -> bool:
    """A load runs with interrupts on and preemption off, as its synchronous IPIs need."""
    return not irqs_disabled() and preempt_count() != 0


def is_asleep(t: ptr[task_struct]) -> bool:
    """Ours: whether the scheduler does not let the task run before somebody wakes it."""
    return not t.on_rq or t.sched_delayed


@property_(
    source="virt/kvm/kvm_main.c kvm_vcpu_block(), kvm_vcpu_wake_up(); kernel/locking/mutex.c"
    " __mutex_lock_common(), __mutex_unlock_slowpath(), v6.12",
    twin="block_without_check",
)
@stuck
def NO_LOST_WAKEUP() -> bool:
    """When nothing moves any more, no vCPU waits whose guest would take an interrupt, and every task
    that sleeps is where its waker looks: a vCPU's wait, or those who wait for a mutex that is taken.
    """
    for t in each(task_struct):
        if not t.is_idle and t.vcpu != NULL and is_asleep(t):
            if is_deliverable(t.vcpu) or not is_found_by_its_waker(t):
                return False
    return True


def is_found_by_its_waker(t: ptr[task_struct]) -> bool:
    """Ours: whether somebody will look for the task that sleeps."""
    if task_waits_for_mutex(t):
        return True
    for v in each(kvm_vcpu):
        if kvm_arch_vcpu_get_wait(v).task == t:
            return True
    return False

"""Proxy execution: a task that waits for a mutex stays on its queue, and whoever holds the mutex runs
in its place.

Mirrors: kernel/sched/core.c, kernel/locking/mutex.c, v7.3. Only where a scenario sets proxy_exec;
the mutex is one that KVM_RUN takes, and its owner a kernel thread, for which the idle task stands.
"""

# CONFIG_SCHED_PROXY_EXEC, and a vCPU's task that sleeps on a mutex inside KVM_RUN (x86).
proxy_exec = False


class task_struct(struct):
    blocked_on: bool
    is_blocked: bool


# [Modified in release:v7.3]
def task_waits_for_mutex(p: ptr[task_struct]) -> bool:
    """Ours: as before, or a mutex that a kernel thread has."""
    return p.blocked_on or (p.waits_for != NULL and p.waits_for.mutex)


# [New in release:v7.3]
def task_is_blocked(p: ptr[task_struct]) -> bool:
    """Mirrors: task_is_blocked(), kernel/sched/sched.h, v7.3"""
    return proxy_exec and p.blocked_on


# [Modified in release:v7.3]
def try_to_block_task(p: ptr[task_struct]):
    """Dequeue a task that waits, unless a signal keeps it runnable, or it waits for a mutex.

    Mirrors: try_to_block_task(), kernel/sched/core.c, v7.3; its argument should_block is asked here.
    The delayed dequeue of kernel/sched/fair.c is a free choice: ``on_rq`` stays set,
    ``sched_delayed`` too. Who waits for a mutex sleeps on whatever signal comes.
    """
    if not task_is_blocked(p) and signal_pending(p):
        p.__state = TASK_RUNNING
        return

    if proxy_exec:
        p.is_blocked = True

    if task_is_blocked(p):
        return

    if delayed_dequeue and choose():
        p.sched_delayed = True
    else:
        p.on_rq = False


# [Modified in release:v7.3]
def pick_next_task(prev: ptr[task_struct], preempt: bool) -> ptr[task_struct]:
    """Any runnable task that no CPU holds and this CPU may run; the idle task stands for it and
    for every kernel thread of this CPU.

    Mirrors: pick_next_task(), find_proxy_task(), kernel/sched/core.c, v7.3
    Omits: priorities and load. The pick claims the task (``on_cpu``), as prepare_task() does a
    little later: until then the kernel has it on this CPU's own queue, under the lock. A task that is
    blocked may be picked as the donor: who runs then is the mutex's owner, a kernel thread.
    """
    next = this_idle_task()
    if choose():
        next = choose_task()
        assume(not next.is_blocked)
        if next == prev:
            assume(prev.on_rq and not preempt and not prev.sched_delayed)
        else:
            assume(next.on_rq and not next.on_cpu and not next.is_idle)
            assume((next.cpus_mask >> smp_processor_id()) & 1)
            # A delayed task that is picked is dequeued then, not run: nobody can tell it waits.
            assume(not (delayed_dequeue and next.sched_delayed))
            next.on_cpu = True
    else:
        assume(next != prev)
    return next


# [Modified in release:v7.3]
def try_to_wake_up(p: ptr[task_struct]) -> bool:
    """Make a waiting task runnable; one step, because of pi_lock, rq lock and on_cpu.

    Mirrors: try_to_wake_up(), ttwu_runnable(), ttwu_do_wakeup(), kernel/sched/core.c, v7.3: a task
    that is queued needs its rq lock; one that is not is waited for until its CPU let go of it. Omits: TTWU_QUEUE
    """
    with atomic:
        if p.__state == TASK_RUNNING:
            return False
        assume(p.on_rq or not p.on_cpu)
        for c in each(cpu):
            assume(not per_cpu(rq_lock, c) or not is_switching(p, c))
        p.__state = TASK_RUNNING
        p.is_blocked = False
        p.sched_delayed = False
        p.on_rq = True
        return True


# [New in release:v7.3]
def mutex_lock():
    """A mutex that somebody else has.

    Mirrors: __mutex_lock_common(), kernel/locking/mutex.c, v7.3
    Omits: that it may be free; spinning
    """
    WRITE_ONCE(current.blocked_on, True)
    while True:
        set_current_state(TASK_INTERRUPTIBLE)
        if not READ_ONCE(current.blocked_on):
            break
        schedule()
    __set_current_state(TASK_RUNNING)


# [New in release:v7.3]
@irq
def mutex_unlock():
    """The owner lets go some time: it is shown at a CPU, and needs none.

    Mirrors: mutex_unlock(), __mutex_unlock_slowpath(), kernel/locking/mutex.c, v7.3
    """
    with atomic:
        assume(proxy_exec)
        p = choose_task()
        assume(p.blocked_on)
        p.blocked_on = False
    wake_up_process(p)

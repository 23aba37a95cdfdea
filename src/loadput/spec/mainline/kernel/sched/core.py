"""The scheduler, as far as a vCPU task meets it.

Mirrors: kernel/sched/core.c, v6.12. One task is current on a CPU; a task that no CPU holds
(``on_cpu`` false) may be picked by any CPU that its mask allows.
"""

TASK_RUNNING = 0
TASK_INTERRUPTIBLE = 1

# What decides where a task may lose its CPU: preempt= of the kernel command line.
PREEMPT_NONE = 0
PREEMPT_VOLUNTARY = 1
PREEMPT_FULL = 2


class task_struct(struct, per="task"):
    __state: upto[1]
    on_rq: bool = starts_runnable
    on_cpu: bool = starts_on_cpu
    sched_delayed: bool
    is_idle: bool = starts_on_cpu
    cpus_mask: cpu_mask = allowed_cpus
    preempt_notifiers: ptr[preempt_notifier]
    thread: embed[thread_struct]
    vcpu: ptr[kvm_vcpu] = own


class thread_struct(struct, per="task"):
    pass


rq_lock: per_cpu[bool]
rq_curr: per_cpu[ptr[task_struct]] = idle_task
current_task: per_cpu[ptr[task_struct]] = idle_task


def task_is_runnable(p: ptr[task_struct]) -> bool:
    """Mirrors: task_is_runnable(), include/linux/sched.h, v6.12, Linux commit cd9626e9ebc7
    ("sched/fair: Fix external p->on_rq users")

    Its caller holds the runqueue's lock, under which alone the two change: read at one time.
    """
    with atomic:
        return p.on_rq and not p.sched_delayed


def preempt_notifier_register(notifier: ptr[preempt_notifier]):
    """Mirrors: preempt_notifier_register(), kernel/sched/core.c, v6.12

    Omits: the list holds one entry here; a second registration is found by NOTIFIER-IFF.
    """
    current.preempt_notifiers = notifier


def preempt_notifier_unregister(notifier: ptr[preempt_notifier]):
    """Mirrors: preempt_notifier_unregister(), kernel/sched/core.c, v6.12"""
    current.preempt_notifiers = NULL


def fire_sched_out_preempt_notifiers(curr: ptr[task_struct], next: ptr[task_struct]):
    """Mirrors: fire_sched_out_preempt_notifiers(), kernel/sched/core.c, v6.12"""
    pn = curr.preempt_notifiers
    if pn:
        kvm_sched_out(pn, next)


def fire_sched_in_preempt_notifiers(curr: ptr[task_struct]):
    """Mirrors: fire_sched_in_preempt_notifiers(), kernel/sched/core.c, v6.12"""
    pn = curr.preempt_notifiers
    if pn:
        kvm_sched_in(pn, raw_smp_processor_id())


def signal_pending(p: ptr[task_struct]) -> bool:
    """A signal may have come at any time: free, in every state.

    Mirrors: signal_pending(), include/linux/sched/signal.h, v6.12
    """
    return choose()


def set_current_state(state: upto[1]):
    """Mirrors: set_current_state(), include/linux/sched.h, v6.12"""
    smp_store_mb(current.__state, state)


def __set_current_state(state: upto[1]):
    """Mirrors: __set_current_state(), include/linux/sched.h, v6.12"""
    WRITE_ONCE(current.__state, state)


def try_to_block_task(p: ptr[task_struct]):
    """Dequeue a task that waits, unless a signal keeps it runnable.

    Mirrors: try_to_block_task(), kernel/sched/core.c, v6.12; the delayed dequeue of
    kernel/sched/fair.c is a free choice: ``on_rq`` stays set, ``sched_delayed`` too.
    """
    if signal_pending(p):
        p.__state = TASK_RUNNING
    elif delayed_dequeue and choose():
        p.sched_delayed = True
    else:
        p.on_rq = False


def pick_next_task(prev: ptr[task_struct], preempt: bool) -> ptr[task_struct]:
    """Any runnable task that no CPU holds and this CPU may run; the idle task stands for it and
    for every kernel thread of this CPU.

    Mirrors: pick_next_task(), kernel/sched/core.c, v6.12
    Omits: priorities and load. The pick claims the task (``on_cpu``), as prepare_task() does a
    little later: until then the kernel has it on this CPU's own queue, under the lock.
    """
    next = this_idle_task()
    if choose():
        next = choose_task()
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


def this_idle_task() -> ptr[task_struct]:
    """Mirrors: idle_task(), kernel/sched/syscalls.c, v6.12: the idle tasks come after the others."""
    return NR_TASKS - NR_CPUS + smp_processor_id() + 1


def choose_task() -> ptr[task_struct]:
    """Ours: any task that is not an idle task."""
    return choose(1, NR_TASKS - NR_CPUS)


@frame("sched")
def __schedule(preempt: bool):
    """The task gives up its CPU, and goes on here when it has one again.

    Mirrors: __schedule(), kernel/sched/core.c, v6.12
    Context: preempt_count 1
    Omits: under the rq lock nothing that is modelled can come between taking it and the pick
    (a waker takes the lock or waits for on_cpu), so that much is one step; for a task without
    notifiers nothing happens up to the switch either, and the idle task waits there for another one
    with interrupts on. RCU, clocks, hotplug. A task that has never
    run (ret_from_fork) has no notifiers: it goes on in its own code.
    """
    prev = current
    if prev.preempt_notifiers == NULL:
        with atomic:
            local_irq_disable()
            next = block_and_pick(prev, preempt)
            if next != prev:
                this_cpu_write(rq_curr, next)
                context_switch(prev, next)
        local_irq_enable()
    else:
        local_irq_disable()
        with atomic:
            next = block_and_pick(prev, preempt)
            if next != prev:
                this_cpu_write(rq_lock, True)
                this_cpu_write(rq_curr, next)
        if next == prev:
            local_irq_enable()
            return
        prepare_task_switch(prev, next)
        with atomic:
            context_switch(prev, next)
        local_irq_enable()
        fire_sched_in_preempt_notifiers(current)


def block_and_pick(prev: ptr[task_struct], preempt: bool) -> ptr[task_struct]:
    """The first half of __schedule(), under the rq lock.

    Mirrors: __schedule(), pick_next_task(), kernel/sched/core.c, v6.12, from the rq lock on
    """
    assume(not this_cpu(rq_lock))
    if not preempt and prev.__state != TASK_RUNNING:
        try_to_block_task(prev)
    return pick_next_task(prev, preempt)


def prepare_task_switch(prev: ptr[task_struct], next: ptr[task_struct]):
    """Mirrors: prepare_task_switch(), kernel/sched/core.c, v6.12

    Context: rq lock held, IRQs off, ``rq->curr`` is next, current is prev
    Omits: perf, rseq, kmap; prepare_task(next) is in pick_next_task here
    """
    fire_sched_out_preempt_notifiers(prev, next)


def context_switch(prev: ptr[task_struct], next: ptr[task_struct]):
    """Change the CPU's registers and stack to next's, let prev go, unlock: one step, IRQs are off.

    Mirrors: context_switch(), finish_task_switch() up to finish_lock_switch(),
    kernel/sched/core.c, v6.12. What the kernel does on next's stack up to the unlock is done here:
    no one can tell, and next's notifier fires after it, with IRQs on and no lock held.
    """
    __switch_to(prev, next)
    if not prev.is_idle:
        smp_store_release(prev.on_cpu, False)
    this_cpu_write(rq_lock, False)
    switch_to(next)


def __switch_to(prev: ptr[task_struct], next: ptr[task_struct]):
    """Ours: save and load what the hardware holds of a task; each architecture has its own."""
    pass


def switch_to(next: ptr[task_struct]):
    """From here on this CPU runs ``next``, where that left off; prev goes on here when it is back.

    Mirrors: switch_to(), arch/x86/include/asm/switch_to.h, v6.12; its like elsewhere
    """
    this_cpu_write(current_task, next)


@frame("sched")
@preempt
def preempt_schedule():
    """An interrupt or preempt_enable() finds need_resched set: any time it may. In user mode a task
    may lose its CPU in every preemption model.

    Mirrors: preempt_schedule_common(), preempt_schedule_irq(), kernel/sched/core.c, v6.12; a task
    that was interrupted in user mode goes back there through exit_to_user_mode_loop(),
    kernel/entry/common.c
    """
    with atomic:
        assume((preempt_model == PREEMPT_FULL or current.in_user_mode) and not current.is_idle)
    preempt_disable()
    if current.in_user_mode:
        __schedule(True)
        exit_to_user_mode_prepare()
    else:
        __schedule(True)
    preempt_enable_no_resched()


def schedule_debug():
    """A preempt_count that somebody has leaked is reported, and set right.

    Mirrors: schedule_debug(), kernel/sched/core.c, v6.12
    Omits: that __schedule() calls it, with preemption off: what CONTEXT-BALANCED asks is the same
    """
    preempt_count_reset()


def schedule():
    """Mirrors: schedule(), kernel/sched/core.c, v6.12"""
    schedule_debug()
    preempt_disable()
    __schedule(False)
    preempt_enable_no_resched()


def need_resched() -> bool:
    """Another task may be to run at any time: free, in every state.

    Mirrors: need_resched(), include/linux/sched.h, v6.12
    """
    return choose()


def cond_resched():
    """Mirrors: cond_resched(), include/linux/sched.h, v6.12"""
    if preempt_model != PREEMPT_FULL and need_resched():
        schedule()


def try_to_wake_up(p: ptr[task_struct]) -> bool:
    """Make a waiting task runnable; one step, because of pi_lock, rq lock and on_cpu.

    Mirrors: try_to_wake_up(), ttwu_runnable(), kernel/sched/core.c, v6.12: a task that is queued
    needs its rq lock; one that is not is waited for until its CPU let go of it. Omits: TTWU_QUEUE
    """
    with atomic:
        if p.__state == TASK_RUNNING:
            return False
        assume(p.on_rq or not p.on_cpu)
        for c in each(cpu):
            assume(not per_cpu(rq_lock, c) or not is_switching(p, c))
        p.__state = TASK_RUNNING
        p.sched_delayed = False
        p.on_rq = True
        return True


def is_switching(p: ptr[task_struct], c: cpu) -> bool:
    """Ours: whether ``p`` goes or comes on CPU ``c``, which holds the lock of its queue."""
    return per_cpu(current_task, c) == p or per_cpu(rq_curr, c) == p


def wake_up_process(p: ptr[task_struct]) -> bool:
    """Mirrors: wake_up_process(), kernel/sched/core.c, v6.12"""
    return try_to_wake_up(p)


def rcuwait_active(w: ptr[rcuwait]) -> bool:
    """Mirrors: rcuwait_active(), include/linux/rcuwait.h, v6.12"""
    return READ_ONCE(w.task) != NULL


def prepare_to_rcuwait(w: ptr[rcuwait]):
    """Mirrors: prepare_to_rcuwait(), include/linux/rcuwait.h, v6.12"""
    rcu_assign_pointer(w.task, current)


def finish_rcuwait(w: ptr[rcuwait]):
    """Mirrors: finish_rcuwait(), kernel/rcu/update.c, v6.12"""
    rcu_assign_pointer(w.task, NULL)
    __set_current_state(TASK_RUNNING)


def rcuwait_wake_up(w: ptr[rcuwait]) -> bool:
    """Mirrors: rcuwait_wake_up(), kernel/exit.c, v6.12"""
    smp_mb()
    task = rcu_dereference(w.task)
    if task:
        return wake_up_process(task)
    return False


def smp_send_reschedule(cpu: cpu):
    """An IPI without work of its own: it takes the CPU out of the guest, which leaving the guest
    at any time includes here. A place for properties.

    Mirrors: arch_smp_send_reschedule() of each architecture, v6.12
    """
    pass

"""kernel/sched/core.c of v7.3, broken."""


# [Modified in twin:on_cpu_not_waited_for]
def pick_next_task(prev: ptr[task_struct], preempt: bool) -> ptr[task_struct]:
    """As pick_next_task(), without a look at on_cpu."""
    next = this_idle_task()
    if choose():
        next = choose_task()
        assume(not next.is_blocked)
        if next == prev:
            assume(prev.on_rq and not preempt and not prev.sched_delayed)
        else:
            assume(next.on_rq and not next.is_idle)
            assume((next.cpus_mask >> smp_processor_id()) & 1)
            # A delayed task that is picked is dequeued then, not run: nobody can tell it waits.
            assume(not (delayed_dequeue and next.sched_delayed))
            next.on_cpu = True
    else:
        assume(next != prev)
    return next

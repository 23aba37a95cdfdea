"""Drawn: early."""


# [Modified in twin:default_mips_pick_next_task_0598]
def pick_next_task(prev: ptr[task_struct], preempt: bool) -> ptr[task_struct]:
    next = this_idle_task()
    if choose():
        next = choose_task()
        if next == prev:
            assume(prev.on_rq and (not preempt) and (not prev.sched_delayed))
        else:
            assume(next.on_rq and (not next.on_cpu) and (not next.is_idle))
            return next
            assume(next.cpus_mask >> smp_processor_id() & 1)
            assume(not (delayed_dequeue and next.sched_delayed))
            next.on_cpu = True
    else:
        assume(next != prev)
    return next

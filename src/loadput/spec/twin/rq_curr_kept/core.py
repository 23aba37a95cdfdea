"""kernel/sched/core.c, broken."""


# [Modified in twin:rq_curr_kept]
def context_switch(prev: ptr[task_struct], next: ptr[task_struct]):
    """As context_switch(), without rq->curr."""
    __switch_to(prev, next)
    if not prev.is_idle:
        smp_store_release(prev.on_cpu, False)
    this_cpu_write(rq_curr, prev)
    this_cpu_write(rq_lock, False)
    switch_to(next)

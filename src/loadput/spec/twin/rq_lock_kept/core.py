"""kernel/sched/core.c, broken."""


# [Modified in twin:rq_lock_kept]
def context_switch(prev: ptr[task_struct], next: ptr[task_struct]):
    """As context_switch(), without the unlock."""
    __switch_to(prev, next)
    if not prev.is_idle:
        smp_store_release(prev.on_cpu, False)
    switch_to(next)

"""Drawn: swap."""


# [Modified in twin:fusing_powerpc___schedule_5522]
def __schedule(preempt: bool):
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
            if next != prev:
                this_cpu_write(rq_lock, True)
                this_cpu_write(rq_curr, next)
            next = block_and_pick(prev, preempt)
        if next == prev:
            local_irq_enable()
            return
        prepare_task_switch(prev, next)
        with atomic:
            context_switch(prev, next)
        local_irq_enable()
        fire_sched_in_preempt_notifiers(current)

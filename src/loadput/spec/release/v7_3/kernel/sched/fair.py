"""A task that blocks may stay on the runqueue for a while, as in v6.12.

Mirrors: DELAY_DEQUEUE, kernel/sched/features.h, v7.3
"""

delayed_dequeue = True

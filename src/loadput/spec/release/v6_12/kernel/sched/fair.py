"""A task that blocks may stay on the runqueue for a while, marked sched_delayed.

Mirrors: DELAY_DEQUEUE, kernel/sched/features.h, v6.12; Linux commit 152e11f6df29 ("sched/fair:
Implement delayed dequeue") (in v6.12)
"""

delayed_dequeue = True

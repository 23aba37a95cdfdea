"""A task that blocks counts as preempted while the scheduler delays its dequeueing.

Before Linux commit cd9626e9ebc7 ("sched/fair: Fix external p->on_rq users")
"""

OVERLAY = Overlay(name="sched-delayed-preempted", parent="D", breaks="PREEMPTED_IFF_RUN")

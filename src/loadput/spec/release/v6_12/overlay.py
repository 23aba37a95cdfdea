"""v6.12: mainline is this release; its scheduler may delay a dequeue.

Source: Linux commit 152e11f6df29 ("sched/fair: Implement delayed dequeue") (in v6.12)
"""

OVERLAY = Overlay(name="v6.12", design="D", source="v6.12")

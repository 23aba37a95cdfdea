"""The properties that no function states: the machine asks them everywhere.

Name, sentence, source, twin.
"""

from __future__ import annotations

BUILTIN = (
    (
        "KERNEL-WARN",
        "No WARN_ON or BUG_ON of the modelled code fires.",
        "the kernel's own assertions, include/asm-generic/bug.h",
        "",
    ),
    (
        "PER-CPU-PINNED",
        "Nobody uses what belongs to a CPU, or its number, while his task may move to another one.",
        "CONFIG_DEBUG_PREEMPT: lib/smp_processor_id.c check_preemption_disabled(), v6.12",
        "uret_preemptible",
    ),
    (
        "NULL-DEREF",
        "No pointer is NULL where it is followed to what matters to a branch or a property.",
        "C; a NULL dereference in the kernel is an oops",
        "",
    ),
    (
        "IN-RANGE",
        "No value leaves the bounds that the model gives it.",
        "ours: a value cut off in silence would make every verdict worthless",
        "",
    ),
)

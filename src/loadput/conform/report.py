"""Words for rows and divergences."""

from __future__ import annotations

import numpy as np

from .automaton import ASPECTS, DIVERGED, Automaton
from .events import NOT_PROBED, Events
from .result import Divergence, Row
from .symbols import ABSENT

CONTEXT_BEFORE, CONTEXT_ROWS = 6, 10


def describe(events: Events, automaton: Automaton, row: int, outcome: int) -> Divergence:
    """The divergence at ``row``, with the rows of the same vCPU around it."""
    o = automaton.outcomes[outcome]
    at = next((i for i, c in enumerate(o.codes) if c == DIVERGED), -1)
    if at >= 0:
        aspect, expected = ASPECTS[at], o.expected[at]
        got = got_words(events, row, aspect)
    elif o.irqs_off != 2 and o.irqs_off != int(events.irqs_off[row]):
        aspect, expected = "irqs", "off" if o.irqs_off else "on"
        got = "off" if events.irqs_off[row] else "on"
    else:
        aspect, expected = "preempt", "off" if o.preempt_off else "on"
        got = f"depth {events.preempt[row]}"
    mine = np.flatnonzero(events.vcpu == events.vcpu[row])
    here = int(np.searchsorted(mine, row))
    low = max(0, min(here - CONTEXT_BEFORE, mine.size - CONTEXT_ROWS))
    context = [make_row(events, int(r), int(r) == row) for r in mine[low : low + CONTEXT_ROWS]]
    return Divergence(
        aspect, expected, got, vcpu_name(events, row), int(events.time[row]),
        int(events.cpu[row]), int(events.pid[row]), events.names[events.event[row]], context,
    )  # fmt: skip


def got_words(events: Events, row: int, aspect: str) -> str:
    """What the kernel had at ``row``."""
    if aspect in ("order", "restore"):
        return point_words(events, row)
    if aspect == "csr_dirty":
        return str(int(events.dirty[row]))
    if aspect == "cpu":
        return f"{events.vcpu_cpu[row]} on CPU {events.cpu[row]}"
    return str(int(events.flags[aspect][row]))


def point_words(events: Events, row: int) -> str:
    function, kind = events.points[events.event[row]]
    return function if kind == "entry" else f"{function} returns"


def vcpu_name(events: Events, row: int) -> str:
    """``vm0/2``: VMs by first appearance among the rows, else the pointer."""
    kvm, ident, pointer = events.vcpus[int(events.vcpu[row])]
    if not kvm:
        return f"{pointer & (2**64 - 1):#x}"
    first: dict[int, int] = {}
    for v, (k, _, _) in enumerate(events.vcpus):
        time = int(events.time[np.searchsorted(events.vcpu, v)])
        first[k] = min(first.get(k, time), time)
    order = sorted(first, key=lambda k: (first[k], k))
    return f"vm{order.index(kvm)}/{ident}"


def make_row(events: Events, row: int, is_divergence: bool) -> Row:
    def flag(name: str) -> int:
        value = int(events.flags[name][row])
        return -1 if value == ABSENT else value

    cpu = int(events.vcpu_cpu[row])
    return Row(
        int(events.time[row]), int(events.cpu[row]), int(events.pid[row]),
        events.names[events.event[row]], point_words(events, row), flag("preempted"),
        flag("ready"), flag("scheduled_out"), flag("wants_to_run"),
        -2 if cpu == NOT_PROBED else cpu, bool(events.irqs_off[row]), int(events.preempt[row]),
        is_divergence,
    )  # fmt: skip

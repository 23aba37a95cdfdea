"""Every event of a recording in order, for the two questions that a race asks: between which stamps
was a probe's value read, and when has a waker provably left kvm_vcpu_wake_up()?"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..trace.account.loads import find_before
from ..trace.needs import Roles
from ..trace.table import (
    FLAG_HARDIRQ,
    FLAG_IRQS_OFF,
    FLAG_NMI,
    FLAG_SOFTIRQ,
    Columns,
    Trace,
)

BOOL = NDArray[np.bool_]
I64 = NDArray[np.int64]

NEVER, EVER = np.iinfo(np.int64).max // 4, -(np.iinfo(np.int64).max // 4)
IN_INTERRUPT = FLAG_HARDIRQ | FLAG_SOFTIRQ | FLAG_NMI
# What a task is traced at only where kvm_vcpu_wake_up(), the scheduler and the preempt notifiers
# are not on its stack.
ELSEWHERE = frozenset({
    "kvm_entry", "kvm_exit", "kvm_userspace_exit", "kvm_vcpu_wakeup", "kvm_mmio", "kvm_pio",
    "kvm_page_fault", "kvm_emulate_insn", "kvm_hypercall", "sched_process_exit",
})  # fmt: skip
SYSCALLS = ("sys_enter", "sys_exit")
FUNCTIONS_ELSEWHERE = frozenset({
    "vcpu_load", "vcpu_put", "kvm_vcpu_block", "kvm_vcpu_halt", "kvm_vcpu_on_spin",
    "svm_prepare_switch_to_guest", "vmx_prepare_switch_to_guest", "vcpu_enter_guest",
})  # fmt: skip


class Voluntary(Protocol):
    """The switches of :class:`.wakings.Switches`, and which of them their task asked for."""

    time: I64
    prev: I64
    asked: BOOL


class Stream:
    """The events of all kinds, by CPU, then time.

    :param trusts_probes: whether the context flags of probes are the task's own
    """

    def __init__(self, trace: Trace, roles: Roles, *, trusts_probes: bool) -> None:
        names = list(trace.events())
        got = trace.column_set({name: [] for name in names})
        self._reads_first = trace.kind.startswith("perf")
        # A wakeup holds a raw spinlock: what its flags lack is what the recording lacks.
        waking = got.get(roles.parts.get("waking", ""))
        has_flags = waking is not None and _mostly(waking["flags"] & FLAG_IRQS_OFF)
        has_depth = has_flags and waking is not None and _mostly(waking["preempt_depth"] & 15)
        self.has_flags = has_flags
        cols: dict[str, list[NDArray[np.generic]]] = {}
        for name in names:
            part = got.pop(name)
            is_probe = name in roles.functions
            elsewhere = _is_elsewhere(name, roles)
            free = np.full(part["time_ns"].size, elsewhere)
            if has_depth and (trusts_probes or not is_probe):
                free |= (part["preempt_depth"] & 15 == 0) & (part["flags"] & FLAG_IRQS_OFF == 0)
            if has_flags:
                free &= part["flags"] & IN_INTERRUPT == 0
            for key in ("time_ns", "cpu", "pid", "flags"):
                cols.setdefault(key, []).append(part[key])
            cols.setdefault("free", []).append(free)
        whole: Columns = {key: np.concatenate(parts) for key, parts in cols.items()}
        order = np.lexsort((whole["time_ns"], whole["cpu"]))
        self.time = whole["time_ns"][order]
        self.cpu = whole["cpu"][order].astype(np.int64)
        self.pid = whole["pid"][order].astype(np.int64)
        self.free = whole["free"][order]
        self.inner = (whole["flags"][order] & IN_INTERRUPT) != 0
        # Text in microseconds is rounded: what is nearer than that has no order.
        self.grain = 1000 if self.time.size and not (self.time % 1000).any() else 0

    def read_window(self, cpu: NDArray[np.int32], time: I64) -> tuple[I64, I64]:
        """Between which stamps the value of a probe at (cpu, time) was read.

        ftrace stamps an event first and reads then, up to the next event of that CPU; perf reads
        first. Events of an interrupt that came in between are no such bound.
        """
        grain = self.grain
        if self._reads_first:
            at = find_before(self.cpu, self.time, cpu.astype(np.int64), time - 1)
            return np.where(at >= 0, self.time[np.maximum(at, 0)], EVER) - grain, time + grain
        outer = np.flatnonzero(~self.inner)
        where, when = self.cpu[outer], self.time[outer]
        at = find_before(where, when, cpu.astype(np.int64), time)
        after = np.where(at >= 0, at + 1, np.searchsorted(where, cpu))
        row = np.minimum(after, max(where.size - 1, 0))
        good = (after < where.size) & (where[row] == cpu) if where.size else after < 0
        high = np.where(good, when[row], NEVER) if where.size else np.full(time.size, NEVER)
        return time - grain, high + grain

    def find_left(self, waking: Columns, switches: Voluntary) -> I64:
        """When the waker of each sched_waking has provably left kvm_vcpu_wake_up(); NEVER: open.

        A waker in an interrupt by the next event of that CPU that is in none; a task by its next
        event where that function cannot be on its stack, or by a schedule() of its own.
        """
        time, cpu = waking["time_ns"], waking["cpu"].astype(np.int64)
        pid = waking["pid"].astype(np.int64)
        idle = pid == 0  # wakes from interrupts only, and leaves them before it schedules
        by_cpu = idle | ((waking["flags"] & IN_INTERRUPT != 0) if self.has_flags else False)
        outer = ~self.inner if self.has_flags else self.pid != 0
        own = switches.asked & (switches.prev != 0)
        who = np.concatenate([self.pid[self.free], switches.prev[own]])
        when = np.concatenate([self.time[self.free], switches.time[own]])
        order = np.lexsort((when, who))
        by_task = _next_time(who[order], when[order], pid, time)
        on_cpu = _next_time(self.cpu[outer], self.time[outer], cpu, time)
        return np.where(by_cpu, on_cpu, by_task) + self.grain


def _is_elsewhere(name: str, roles: Roles) -> bool:
    if name in roles.functions:
        return roles.functions[name] in FUNCTIONS_ELSEWHERE
    return name in ELSEWHERE or name.startswith(SYSCALLS)


def _mostly(column: NDArray[np.generic]) -> bool:
    return bool(column.size and (column != 0).mean() > 0.5)


def _next_time(key: I64, time: I64, want_key: I64, want_time: I64) -> I64:
    # The first time after want_time of the same key; key, time are sorted.
    if not key.size:
        return np.full(want_key.size, NEVER, dtype=np.int64)
    at = find_before(key, time, want_key, want_time)
    after = np.where(at >= 0, at + 1, np.searchsorted(key, want_key))
    row = np.minimum(after, key.size - 1)
    good = (after < key.size) & (key[row] == want_key)
    return np.where(good, time[row], NEVER)

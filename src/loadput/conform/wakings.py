"""Who was switched out how, and when a waker may have stored `ready`: the scheduler's tracepoints.

kvm_vcpu_wake_up() stores `ready` after the wakeup (virt/kvm/kvm_main.c, v6.12). The store lies
between the waker's sched_waking and its first later event that proves that it has left that
function; how often it lost its CPU in between does not matter.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..trace.account.loads import find_before
from ..trace.account.state import runnable_states
from ..trace.decode import as_whole
from ..trace.needs import Roles
from ..trace.table import Trace
from .stream import Stream

BOOL = NDArray[np.bool_]
I64 = NDArray[np.int64]


class Rows(Protocol):
    """What is asked of rows of probe events: who, where, when."""

    pid: NDArray[np.int32]
    cpu: NDArray[np.int32]
    time: I64


class Switches:
    """The sched_switch events of a recording, in order of time."""

    def __init__(self, trace: Trace, roles: Roles) -> None:
        name = roles.parts.get("switch")
        fields = ("prev_pid", "prev_state")
        if name is not None and not set(fields) <= set(trace.fields(name)):
            name = None  # text that prints it in a way of its own
        self.seen = name is not None
        self.time = self.prev = np.zeros(0, dtype=np.int64)
        self.cpu = np.zeros(0, dtype=np.int32)
        self.runnable = self.has_state = self.asked = np.zeros(0, dtype=np.bool_)
        if name is None:
            return
        cols = trace.columns(name, fields)
        self.time, self.cpu = cols["time_ns"], cols["cpu"].astype(np.int32)
        self.prev = as_whole(cols["prev_pid"])
        self.runnable, preempted = runnable_states(trace, name, cols["prev_state"])
        self.has_state = cols["prev_state"] != b""
        # R+ is a task that was preempted, any other state one that called schedule() itself. Some
        # tools print R for both (trace-cmd 3.1): then only a task that waits is known to have.
        tells = bool(preempted.any())
        if self.runnable.size:
            self.asked = self.has_state & (~preempted if tells else ~self.runnable)

    def left_runnable(self, e: Rows, rows: I64) -> tuple[BOOL, BOOL]:
        """(runnable, known) for each sched_out, from the switch that stands just before it."""
        none = np.zeros(rows.size, dtype=np.bool_)
        if not self.runnable.size:
            return none, none
        order = np.lexsort((self.time, self.prev))
        pid = e.pid[rows].astype(np.int64)
        at = find_before(self.prev[order], self.time[order], pid, e.time[rows])
        spot = order[np.maximum(at, 0)]
        known = (at >= 0) & (self.cpu[spot] == e.cpu[rows]) & self.has_state[spot]
        return self.runnable[spot], known


class Wakings:
    """When each task of the rows was woken, and how long its waker may take to store `ready`."""

    def __init__(
        self, e: Rows, trace: Trace, roles: Roles, switches: Switches, stream: Stream
    ) -> None:
        name = roles.parts.get("waking") or roles.parts.get("wakeup")
        self.seen, self.rows = name is not None, e
        # sched_wakeup is traced where the task is put on a runqueue, whoever woke it.
        self.knows_wakers = "waking" in roles.parts
        if name is None:
            return
        field_name = "pid_field" if "pid_field" in trace.fields(name) else "pid"
        cols = trace.columns(name, [field_name, "comm"])
        woken, time = as_whole(cols[field_name]), cols["time_ns"]
        ours = np.isin(woken, np.unique(e.pid))
        self._woken, self._time = woken[ours], time[ours]
        self._plain = _Counter(e, self._woken, self._time)
        if self.knows_wakers:
            mine = {key: cols[key][ours] for key in ("time_ns", "cpu", "pid", "flags")}
            self._left = stream.find_left(mine, switches)
            # async_pf_execute() wakes from a worker, and stores nothing (virt/kvm/async_pf.c).
            by = cols["comm"][ours].astype(np.bytes_)
            unsure = np.char.startswith(by, b"kworker") | np.char.startswith(by, b"<...")
            self._by_kvm = ~unsure

    def between(self, rows: I64, since: I64) -> BOOL:
        """Whether the row's task was woken between row ``since`` (-1: ever) and the row."""
        return self._plain.between(rows, since) if self.seen else np.ones(rows.size, dtype=np.bool_)

    def have_stored(self, rows: I64, back: I64, stream: Stream) -> BOOL:
        """Whether a waker between sched_out and sched_in has left before the latter's read."""
        if not self.knows_wakers or not self._time.size or not rows.size:
            return np.zeros(rows.size, dtype=np.bool_)
        back = np.maximum(back, 0)
        pid = self.rows.pid[back].astype(np.int64)
        low, _ = stream.read_window(self.rows.cpu[back], self.rows.time[back])
        order = np.lexsort((self._time, self._woken))
        woken, time = self._woken[order], self._time[order]
        at = find_before(woken, time, pid, self.rows.time[back])
        row = np.maximum(at, 0)
        inside = (at >= 0) & (time[row] > self.rows.time[rows])
        return np.asarray(inside & (self._left[order][row] < low) & self._by_kvm[order][row])

    def may_store(self, low: I64, high: I64) -> BOOL:
        """Per row: whether a waker of its task may have stored `ready` from ``low`` to ``high``."""
        if not self.knows_wakers:
            return np.ones(low.size, dtype=np.bool_)
        order = np.lexsort((self._time, self._woken))
        woken, time = self._woken[order], self._time[order]
        # The latest end of the wakers so far, task by task.
        tasks = np.unique(woken)
        last = np.empty_like(time)
        for start, stop in zip(
            np.searchsorted(woken, tasks), np.searchsorted(woken, tasks, "right"), strict=True
        ):
            last[start:stop] = np.maximum.accumulate(self._left[order][start:stop])
        at = find_before(woken, time, self.rows.pid.astype(np.int64), high)
        return (at >= 0) & (last[np.maximum(at, 0)] >= low) if at.size else at >= 0


class _Counter:
    """How many of some times of its task stand before each row."""

    def __init__(self, e: Rows, pid: I64, time: I64) -> None:
        self.pid = e.pid
        pids = np.unique(e.pid)
        low = min([int(t.min()) for t in (time, e.time) if t.size], default=0)
        high = max([int(t.max()) for t in (time, e.time) if t.size], default=0)
        span = np.int64(high - low + 2)
        keys = np.sort(np.searchsorted(pids, pid) * span + (time - low))
        who = np.searchsorted(pids, e.pid)
        self.count = np.searchsorted(keys, who * span + (e.time - low), "right")
        self.first = np.searchsorted(keys, who * span)

    def between(self, rows: I64, since: I64) -> BOOL:
        same = (since >= 0) & (self.pid[np.maximum(since, 0)] == self.pid[rows])
        start = np.where(same, self.count[np.maximum(since, 0)], self.first[rows])
        return np.asarray(self.count[rows] > start)

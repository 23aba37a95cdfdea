"""Who was switched out how, and who was woken when: what the scheduler's tracepoints tell."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..trace.account.loads import find_before
from ..trace.account.state import runnable_states
from ..trace.decode import as_whole
from ..trace.needs import Roles
from ..trace.table import Trace

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
        fields = ("prev_pid", "next_pid", "prev_state")
        if name is not None and not set(fields) <= set(trace.fields(name)):
            name = None  # text that prints it in a way of its own
        self.seen = name is not None
        self.time = self.prev = self.next = np.zeros(0, dtype=np.int64)
        self.cpu = np.zeros(0, dtype=np.int32)
        self.runnable = self.has_state = np.zeros(0, dtype=np.bool_)
        if name is None:
            return
        cols = trace.columns(name, fields)
        self.time, self.cpu = cols["time_ns"], cols["cpu"].astype(np.int32)
        self.prev, self.next = as_whole(cols["prev_pid"]), as_whole(cols["next_pid"])
        self.runnable, _ = runnable_states(trace, name, cols["prev_state"])
        self.has_state = cols["prev_state"] != b""

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

    def returns(self, pid: I64, time: I64) -> tuple[I64, I64]:
        """Of the tasks that were switched out runnable the first time after ``time``: (which of
        the rows given, when they ran again)."""
        which = np.arange(pid.size)
        if not self.runnable.size or not pid.size:
            return which[:0], time[:0]
        out, good = _find_after(self.prev, self.time, pid, time)
        good &= self.runnable[out]
        which, pid, left = which[good], pid[good], self.time[out[good]]
        back, good = _find_after(self.next, self.time, pid, left)
        return which[good], self.time[back[good]]


def _find_after(key: I64, time: I64, want_key: I64, want_time: I64) -> tuple[I64, BOOL]:
    # Row of the first (key, time) after (want_key, want_time), same key; and whether there is one.
    order = np.lexsort((time, key))
    at = find_before(key[order], time[order], want_key, want_time)
    first = np.searchsorted(key[order], want_key)
    after = np.where(at >= 0, at + 1, first)
    row = order[np.minimum(after, max(key.size - 1, 0))]
    return row, (after < key.size) & (key[row] == want_key)


class Wakings:
    """When each task of the rows was woken."""

    def __init__(self, e: Rows, trace: Trace, roles: Roles, switches: Switches) -> None:
        name = roles.parts.get("waking") or roles.parts.get("wakeup")
        self.seen, self.pid = name is not None, e.pid
        # Without sched_switch nobody knows which waker lost its CPU.
        self._knows_stores = self.seen and switches.seen
        if name is None:
            return
        field_name = "pid_field" if "pid_field" in trace.fields(name) else "pid"
        cols = trace.columns(name, [field_name])
        woken, time = as_whole(cols[field_name]), cols["time_ns"]
        ours = np.isin(woken, np.unique(e.pid))
        woken, time, by = woken[ours], time[ours], cols["pid"][ours].astype(np.int64)
        # A waker that loses its CPU at once stores `ready` when it has one again.
        which, again = switches.returns(by, time)
        self._plain = _Counter(e, woken, time)
        both = np.concatenate([time, again])
        self._stores = _Counter(e, np.concatenate([woken, woken[which]]), both)

    def between(self, rows: I64, since: I64) -> BOOL:
        """Whether the row's task was woken between row ``since`` (-1: ever) and the row."""
        return self._plain.between(rows, since) if self.seen else np.ones(rows.size, dtype=np.bool_)

    def may_store(self, rows: I64, since: I64) -> BOOL:
        """Whether a waker of the row's task may have stored `ready` in between."""
        if not self._knows_stores:
            return np.ones(rows.size, dtype=np.bool_)
        return self._stores.between(rows, since)


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

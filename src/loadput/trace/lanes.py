"""What the pictures draw: stretches of time per vCPU and per CPU, and marks at loads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .account.loads import BLOCKED, CAUSES, Loads, Outs, by_task, find_loads, find_outs, last_where
from .account.log import ENTRY, EXIT, SCHED_IN, SCHED_OUT, Log
from .account.read import read_log
from .account.skip import gather_facts
from .table import Trace

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

LOADED, GUEST, PREEMPTED, OUT_BLOCKED, WOKEN = range(5)
STATES = ("loaded", "in guest", "out, runnable", "out, blocked", "woken, not loaded")
# Bits of a mark at a load.
HOST_THERE, HOST_WRONG, GUEST_THERE, WAS_PREEMPTED, WAS_READY, MIGRATED = (1 << i for i in range(6))


@dataclass(slots=True)
class Spans:
    """Stretches of time: ``start``, ``end`` ns, ``state`` (:data:`STATES`), ``vcpu``, ``cpu``."""

    start: I64
    end: I64
    state: U8
    vcpu: I64
    cpu: I64


@dataclass(slots=True)
class Marks:
    """Loads: ``time`` ns, ``bits``, ``cause`` (index of CAUSES), vCPU, CPU, and the CPU before."""

    time: I64
    bits: U8
    cause: U8
    vcpu: I64
    cpu: I64
    prev_cpu: I64


@dataclass(slots=True)
class Lanes:
    """Everything that a picture of a recording shows."""

    log: Log
    spans: Spans
    marks: Marks
    causes: tuple[str, ...] = CAUSES


def build_lanes(trace: Trace) -> Lanes:
    """Return the stretches and marks of ``trace``, each sorted by vCPU, then time.

    :raises TraceError: LP0610, the recording shows no loads and puts
    """
    log = read_log(trace)
    loads, outs = find_loads(log), find_outs(log, trace)
    parts = [_loaded(log, loads), _guest(log), *_outs(outs)]
    spans = Spans(*(np.concatenate([p[i] for p in parts]) for i in range(5)))
    keep = (spans.vcpu >= 0) & (spans.end > spans.start)
    order = np.flatnonzero(keep)
    order = order[np.lexsort((spans.start[order], spans.vcpu[order]))]
    spans = Spans(
        spans.start[order], spans.end[order], spans.state[order].astype(np.uint8),
        spans.vcpu[order].astype(np.int64), spans.cpu[order].astype(np.int64),
    )  # fmt: skip
    return Lanes(log, spans, _marks(log, loads, trace))


Part = tuple[I64, I64, I64, I64, I64]


def _part(start: I64, end: I64, state: int, vcpu: NDArray[np.generic], cpu: object) -> Part:
    return (start, end, np.full(start.size, state), np.asarray(vcpu), np.asarray(cpu))


def _loaded(log: Log, loads: Loads) -> Part:
    seen = loads.put_row >= 0
    end = np.where(seen, log.time[np.maximum(loads.put_row, 0)], loads.time)
    return _part(loads.time, end, LOADED, loads.vcpu, loads.cpu)


def _guest(log: Log) -> Part:
    order = by_task(log)
    keep = order[np.isin(log.kind[order], (ENTRY, EXIT, SCHED_OUT))]
    kind, pid, time = log.kind[keep], log.pid[keep], log.time[keep]
    at = np.flatnonzero((kind[:-1] == ENTRY) & (kind[1:] != ENTRY) & (pid[:-1] == pid[1:]))
    rows = keep[at]
    return _part(time[at], time[at + 1], GUEST, log.vcpu[rows], log.cpu[rows])


def _outs(outs: Outs) -> list[Part]:
    back = outs.end >= 0
    blocked = back & (outs.reason == BLOCKED)
    runnable = back & ~blocked
    wake = np.where(outs.wake >= 0, outs.wake, outs.end)
    nowhere = np.full(outs.start.size, -1)
    return [
        _part(outs.start[runnable], outs.end[runnable], PREEMPTED, outs.vcpu[runnable],
              nowhere[runnable]),
        _part(outs.start[blocked], wake[blocked], OUT_BLOCKED, outs.vcpu[blocked],
              nowhere[blocked]),
        _part(wake[blocked], outs.end[blocked], WOKEN, outs.vcpu[blocked], nowhere[blocked]),
    ]  # fmt: skip


def _flag_rows(log: Log, loads: Loads) -> I64:
    # Where a load's flags are read: at the sched_in that led to it, which clears them.
    order = by_task(log)
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    back = last_where(log.kind[order] == SCHED_IN, log.pid[order])[place[loads.row]]
    return np.where((loads.cause == 1) & (back >= 0), order[np.maximum(back, 0)], loads.row)


def _marks(log: Log, loads: Loads, trace: Trace) -> Marks:
    facts = gather_facts(log, loads, trace.missing)
    bits = np.zeros(loads.time.size, dtype=np.uint8)
    if facts.knows_prep:
        host = facts.same_cpu & facts.in_run & facts.last_saved_is_me & (loads.cause == 1)
        right = facts.tag_is_mine & facts.same_task
        bits[host & right] |= HOST_THERE
        if facts.knows_gen and not facts.is_inferred:
            bits[host & ~right] |= HOST_WRONG
    bits[facts.same_cpu & facts.last_loaded_is_me] |= GUEST_THERE
    before = _flag_rows(log, loads)
    bits[log.flags["preempted"][before] == 1] |= WAS_PREEMPTED
    bits[log.flags["ready"][before] == 1] |= WAS_READY
    bits[(loads.prev_cpu >= 0) & (loads.prev_cpu != loads.cpu)] |= MIGRATED
    order = np.lexsort((loads.time, loads.vcpu))
    return Marks(
        loads.time[order], bits[order], loads.cause[order].astype(np.uint8),
        loads.vcpu[order].astype(np.int64), loads.cpu[order].astype(np.int64),
        loads.prev_cpu[order].astype(np.int64),
    )  # fmt: skip

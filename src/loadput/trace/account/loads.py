"""Why each load and put happened, and what a vCPU did between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..decode import as_whole
from ..table import Columns, Trace
from .log import (
    ARCH_LOAD,
    ARCH_PUT,
    ENTRY,
    EXIT,
    I8,
    I32,
    I64,
    LOAD,
    PUT,
    SCHED_IN,
    SCHED_OUT,
    SPIN,
    YIELD_TO,
    Log,
)
from .state import runnable_states

BOOL = NDArray[np.bool_]

BY_VCPU_LOAD, BY_SCHED_IN, DIRECT, UNKNOWN = range(4)
CAUSES = ("vcpu_load", "sched_in", "direct", "unknown")
PUT_CAUSES = ("vcpu_put", "sched_out", "direct", "unknown")
PREEMPTED, YIELDED, BLOCKED, NOT_KNOWN = range(4)
REASONS = ("preempted", "yielded", "blocked", "unknown")


@dataclass(slots=True)
class Loads:
    """Every load (ARCH_LOAD row of the log): ``row``, ``cause``, ``cpu``, ``prev_cpu`` (where the
    vCPU was loaded last, -1 unknown), ``gen`` (how many vcpu_load the vCPU had had)."""

    row: I64
    cause: I8
    cpu: I32
    vcpu: I32
    time: I64
    prev_cpu: I32
    gen: I64
    wants: I8
    put_row: I64
    put_row_cause: I8


@dataclass(slots=True)
class Outs:
    """Every stretch that a vCPU's task was scheduled out while loaded.

    ``start``, ``end`` ns (-1: not seen), ``reason`` (:data:`REASONS`), ``wake`` ns of the wakeup
    (-1 none), ``next_pid`` who ran instead (-1 unknown), ``cpu`` where it went out.
    """

    vcpu: I32
    pid: I32
    cpu: I32
    start: I64
    end: I64
    end_cpu: I32
    reason: I8
    wake: I64
    next_pid: I64
    preempted_flag: I8
    wants: I8


def by_task(log: Log) -> I64:
    """Row order by task, then time: how a task lived it."""
    return np.argsort(log.pid, kind="stable")


def by_vcpu(log: Log) -> I64:
    """Row order by vCPU, then time."""
    return np.argsort(log.vcpu, kind="stable")


def last_where(mask: BOOL, group: NDArray[np.generic]) -> I64:
    """For each row the last row at or before it where ``mask`` holds, in its group; -1: none."""
    if not mask.size:
        return np.zeros(0, dtype=np.int64)
    at = np.maximum.accumulate(np.where(mask, np.arange(mask.size), -1))
    return np.where((at >= 0) & (group[np.maximum(at, 0)] == group), at, -1)


def find_loads(log: Log) -> Loads:
    """Classify every load and put by what the same task did just before it."""
    load_cause, put_cause = _causes(log)
    rows = log.rows(ARCH_LOAD)
    order = by_vcpu(log)
    vcpu = log.vcpu[order]
    kind = log.kind[order]
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    gen_all = np.cumsum(kind == LOAD)
    first = np.searchsorted(vcpu, vcpu, "left")
    gen_sorted = gen_all - np.where(first > 0, gen_all[np.maximum(first - 1, 0)], 0)
    before = np.concatenate([[-1], last_where(kind == ARCH_LOAD, vcpu)[:-1]]) if kind.size else rows
    at = place[rows]
    prev = before[at]
    good = (prev >= 0) & (vcpu[np.maximum(prev, 0)] == vcpu[at])
    seen_cpu = np.where(good, log.cpu[order][np.maximum(prev, 0)], -1)
    recorded = log.last_cpu[rows]
    # vcpu->cpu is the last CPU on x86 and riscv, but -1 after each put on arm64: what was seen
    # comes first, and the field speaks for the first load of the recording only.
    prev_cpu = np.where(good, seen_cpu, np.maximum(recorded, -1)).astype(np.int32)
    put_at = _next_put(kind, vcpu, at)
    put_row = np.where(put_at >= 0, order[np.maximum(put_at, 0)], -1)
    return Loads(
        rows, load_cause[rows], log.cpu[rows], log.vcpu[rows], log.time[rows], prev_cpu,
        gen_sorted[at], log.flags["wants"][rows], put_row,
        np.where(put_row >= 0, put_cause[np.maximum(put_row, 0)], UNKNOWN).astype(np.int8),
    )  # fmt: skip


def _next_put(kind: I8, vcpu: I32, at: I64) -> I64:
    # The put that ends each load: the next ARCH_PUT of the vCPU before its next ARCH_LOAD.
    ends = np.flatnonzero((kind == ARCH_PUT) | (kind == ARCH_LOAD))
    spot = np.searchsorted(ends, at, "right")
    nxt = np.where(spot < ends.size, ends[np.minimum(spot, max(ends.size - 1, 0))], -1)
    good = (
        (nxt >= 0) & (vcpu[np.maximum(nxt, 0)] == vcpu[at]) & (kind[np.maximum(nxt, 0)] == ARCH_PUT)
    )
    return np.where(good, nxt, -1)


def _causes(log: Log) -> tuple[I8, I8]:
    order = by_task(log)
    kind, pid = log.kind[order], log.pid[order]
    steps = kind <= ARCH_PUT
    before = last_where(steps, pid)
    prev = np.full(kind.size, -1, dtype=np.int64)
    if kind.size:
        prev[1:] = np.where(pid[1:] == pid[:-1], before[:-1], -1)
    what = np.where(prev >= 0, kind[np.maximum(prev, 0)], -1)
    load = np.full(kind.size, DIRECT, dtype=np.int8)
    load[what == LOAD] = BY_VCPU_LOAD
    load[what == SCHED_IN] = BY_SCHED_IN
    load[what < 0] = UNKNOWN
    put = np.full(kind.size, DIRECT, dtype=np.int8)
    # A task may be preempted between the entry of vcpu_put and its preempt_disable, so a
    # sched_out and sched_in can stand between `put` and the put that it asked for.
    pending = last_where(kind == PUT, pid) > last_where(kind == LOAD, pid)
    put[pending] = BY_VCPU_LOAD
    put[what == SCHED_OUT] = BY_SCHED_IN
    put[what < 0] = UNKNOWN
    have = set(np.unique(log.kind).tolist())
    _doubt(load, what, have, {LOAD, SCHED_IN})
    _doubt(put, what, have, {PUT, SCHED_OUT})
    out_load, out_put = np.empty_like(load), np.empty_like(put)
    out_load[order], out_put[order] = load, put
    if SCHED_IN not in have and (log.flags["so"] >= 0).any():
        so = log.flags["so"]
        out_load[(so == 1) & (log.kind == ARCH_LOAD)] = BY_SCHED_IN
    return out_load, out_put


def _doubt(cause: I8, what: I64, have: set[int], needed: set[int]) -> None:
    # "direct" is a conclusion from absence: without the other probes it cannot be drawn.
    if not needed <= have:
        cause[cause == DIRECT] = UNKNOWN


def find_outs(log: Log, trace: Trace) -> Outs:
    """Find every sched_out of a loaded vCPU, why it was, and when it came back."""
    rows = log.rows(SCHED_OUT)
    order = by_task(log)
    kind, pid = log.kind[order], log.pid[order]
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    at = place[rows]
    ends = np.flatnonzero((kind == SCHED_IN) | (kind == SCHED_OUT))
    spot = np.searchsorted(ends, at, "right")
    nxt = np.where(spot < ends.size, ends[np.minimum(spot, max(ends.size - 1, 0))], -1)
    back = (
        (nxt >= 0) & (pid[np.maximum(nxt, 0)] == pid[at]) & (kind[np.maximum(nxt, 0)] == SCHED_IN)
    )
    back_row = order[np.maximum(nxt, 0)]
    end = np.where(back, log.time[back_row], -1)
    puts = np.flatnonzero(kind == ARCH_PUT)
    spot = np.searchsorted(puts, at, "right")
    put = np.where(spot < puts.size, puts[np.minimum(spot, max(puts.size - 1, 0))], -1)
    has_put = (put >= 0) & (pid[np.maximum(put, 0)] == pid[at])
    flag = np.where(has_put, log.flags["preempted"][order[np.maximum(put, 0)]], -1)
    outs = Outs(
        log.vcpu[rows], log.pid[rows], log.cpu[rows], log.time[rows], end,
        np.where(back, log.cpu[back_row], -1).astype(np.int32),
        np.full(rows.size, NOT_KNOWN, dtype=np.int8), np.full(rows.size, -1, dtype=np.int64),
        np.full(rows.size, -1, dtype=np.int64), flag.astype(np.int8), log.flags["wants"][rows],
    )  # fmt: skip
    _read_switches(outs, log, trace)
    outs.reason[(outs.reason == PREEMPTED) & _asked_to_yield(log)[rows]] = YIELDED
    _read_wakeups(outs, log, trace)
    return outs


def _read_switches(outs: Outs, log: Log, trace: Trace) -> None:
    # sched_switch stands just before kvm_sched_out, on the same CPU, from the same task.
    flag_says = outs.preempted_flag == 1
    outs.reason[flag_says] = PREEMPTED
    name = log.roles.parts.get("switch")
    fields = ("prev_pid", "next_pid", "prev_state")
    if name is None or not set(fields) <= set(trace.fields(name)):  # text may lack them
        if (outs.preempted_flag >= 0).any():
            outs.reason[(outs.preempted_flag == 0) & (outs.wants == 1)] = BLOCKED
        return
    cols = trace.columns(name, fields)
    key = as_whole(cols["prev_pid"])
    order = np.lexsort((cols["time_ns"], key))
    key, time = key[order], cols["time_ns"][order]
    at = find_before(key, time, outs.pid.astype(np.int64), outs.start)
    good = (at >= 0) & (cols["cpu"][order][np.maximum(at, 0)] == outs.cpu)
    at = np.maximum(at, 0)
    outs.next_pid = np.where(good, as_whole(cols["next_pid"])[order][at], -1).astype(np.int64)
    # KVM calls schedule() itself when a reschedule is due before guest entry, so a preempted vCPU
    # shows as R as well as R+: runnable is what counts.
    runnable, _ = runnable_states(trace, name, cols["prev_state"][order])
    if not runnable.size:
        return
    outs.reason[good & runnable[at]] = PREEMPTED
    has_state = cols["prev_state"][order] != b""
    outs.reason[good & ~runnable[at] & has_state[at]] = BLOCKED
    # The flag rules: an older kernel prints a stale state when a signal is pending.
    outs.reason[flag_says & (outs.reason == BLOCKED)] = PREEMPTED


def _asked_to_yield(log: Log) -> BOOL:
    # Rows whose task called kvm_vcpu_on_spin or kvm_vcpu_yield_to since its last guest exit.
    order = by_task(log)
    kind, pid = log.kind[order], log.pid[order]
    spin = last_where((kind == SPIN) | (kind == YIELD_TO), pid)
    other = last_where((kind == ENTRY) | (kind == EXIT) | (kind == SCHED_IN), pid)
    out = np.empty(kind.size, dtype=np.bool_)
    out[order] = spin > other
    return out


def find_before(key: I64, time: I64, want_key: I64, want_time: I64) -> I64:
    """Row of the last (key, time) at or before (want_key, want_time), same key; -1: none.

    ``key``, ``time`` are sorted by key, then time.
    """
    if not key.size or not want_key.size:
        return np.full(want_key.size, -1, dtype=np.int64)
    all_key = np.concatenate([key, want_key])
    all_time = np.concatenate([time, want_time])
    tag = np.concatenate([np.zeros(key.size), np.ones(want_key.size)])
    order = np.lexsort((tag, all_time, all_key))
    is_row = order < key.size
    last = np.maximum.accumulate(np.where(is_row, order, -1))
    out = np.full(want_key.size, -1, dtype=np.int64)
    asked = ~is_row
    found = last[asked]
    out[order[asked] - key.size] = found
    return np.where((out >= 0) & (key[np.maximum(out, 0)] == want_key), out, -1)


def _read_wakeups(outs: Outs, log: Log, trace: Trace) -> None:
    # The first wakeup of the task between its out and its in.
    name = log.roles.parts.get("wakeup") or log.roles.parts.get("waking")
    if name is None or not outs.start.size:
        return
    key_name = "pid_field" if "pid_field" in trace.fields(name) else "pid"
    cols = trace.columns(name, [key_name])
    key = as_whole(cols[key_name])
    order = np.lexsort((cols["time_ns"], key))
    key, time = key[order], cols["time_ns"][order]
    at = find_before(key, time, outs.pid.astype(np.int64), outs.start)
    first = np.where(at >= 0, at + 1, np.searchsorted(key, outs.pid.astype(np.int64)))
    inside = first < key.size
    spot = np.minimum(first, max(key.size - 1, 0))
    if not key.size:
        return
    good = inside & (key[spot] == outs.pid) & ((time[spot] <= outs.end) | (outs.end < 0))
    outs.wake = np.where(good & (outs.reason == BLOCKED), time[spot], -1)


def guest_time(log: Log, vcpus: int) -> I64:
    """Nanoseconds between kvm_entry and the next kvm_exit or sched_out, per vCPU.

    An upper bound: kvm_exit is traced after interrupts are on again, so a stretch that ends in a
    sched_out has left the guest a little before it.
    """
    order = by_task(log)
    keep = order[np.isin(log.kind[order], (ENTRY, EXIT, SCHED_OUT))]
    kind, pid, vcpu, time = log.kind[keep], log.pid[keep], log.vcpu[keep], log.time[keep]
    pair = (kind[:-1] == ENTRY) & (kind[1:] != ENTRY) & (pid[:-1] == pid[1:])
    spent = np.where(pair, time[1:] - time[:-1], 0)
    total = np.zeros(vcpus, dtype=np.int64)
    use = pair & (vcpu[:-1] >= 0)
    np.add.at(total, vcpu[:-1][use], spent[use])
    return total


def columns_of(loads: Loads) -> Columns:
    """The loads as plain columns, for export."""
    return {name: getattr(loads, name) for name in ("time", "cpu", "vcpu", "cause", "prev_cpu")}

"""Loads and puts inferred from stock tracepoints: sched_switch, kvm_entry, kvm_userspace_exit.

What can be told: a task that enters the guest is a vCPU's; it is in KVM_RUN from its first
kvm_entry after a return to user mode until the next kvm_userspace_exit; each time it is switched
out in between is a sched_out, each time it is switched in again a sched_in. What cannot: loads by
other ioctls, loads that leave KVM_RUN before the first entry, and what ran in between.
"""

from __future__ import annotations

import numpy as np

from ..decode import Column, as_whole
from ..needs import Roles
from ..table import Columns, Trace
from .log import (
    ARCH_LOAD,
    ARCH_PUT,
    ENTRY,
    EXIT,
    FLAGS,
    I64,
    LOAD,
    PREP,
    PUT,
    SCHED_IN,
    SCHED_OUT,
    USER,
    Log,
    Vcpu,
    _assemble,
)

_OUT, _IN = 20, 21


def infer_log(trace: Trace, roles: Roles) -> Log:
    """Build the log from stock tracepoints; each row that was not seen is inferred."""
    stream = _task_stream(trace, roles)
    pieces = [_inferred_rows(stream, roles)]
    log = _assemble(pieces, roles, is_inferred=True)
    log.vcpus = _number_vcpus(log, stream, trace)
    log.inferred.append(
        "no probes on load and put: loads by KVM_RUN are inferred from kvm_entry and "
        "sched_switch; loads by other ioctls, or that end before the first entry, are not seen, "
        "so how often a rule would have been wrong is not known"
    )
    if "userspace_exit" not in roles.parts:
        log.inferred.append(
            "no kvm_userspace_exit: returns to user mode are not seen, so each task counts as "
            "in KVM_RUN from its first to its last kvm_entry"
        )
    if "exit" not in roles.parts:
        log.inferred.append("no kvm_exit: time in the guest is not known")
    log.inferred.append("VMs cannot be told apart: vCPUs are listed by task")
    return log


def _task_stream(trace: Trace, roles: Roles) -> Columns:
    # What the vCPU tasks did, sorted by task, then time.
    parts = roles.parts
    wanted: dict[str, list[str]] = {parts["switch"]: ["next_pid", "prev_pid"]}
    for part in ("entry", "exit", "userspace_exit"):
        if part in parts:
            name = parts[part]
            wanted[name] = [f for f in ("vcpu_id",) if f in trace.fields(name)]
    got = trace.column_set(wanted)
    tasks = np.unique(got[parts["entry"]]["pid"])
    tasks = tasks[tasks > 0]
    switch = got[parts["switch"]]
    rows = [
        _select(switch, as_whole(switch["prev_pid"]), tasks, _OUT),
        _select(switch, as_whole(switch["next_pid"]), tasks, _IN),
    ]
    for part, kind in (("entry", ENTRY), ("exit", EXIT), ("userspace_exit", USER)):
        if part in parts:
            cols = got[parts[part]]
            rows.append(_select(cols, cols["pid"], tasks, kind))
    whole = {key: np.concatenate([r[key] for r in rows]) for key in rows[0]}
    order = np.lexsort((whole["kind"], whole["seq"], whole["cpu"], whole["time"], whole["pid"]))
    return {key: col[order] for key, col in whole.items()}


def _select(cols: Columns, pid: Column, tasks: I64, kind: int) -> Columns:
    keep = np.isin(pid, tasks)
    ident = as_whole(cols["vcpu_id"]) if "vcpu_id" in cols else np.full(keep.size, -1)
    return {
        "time": cols["time_ns"][keep],
        "cpu": cols["cpu"][keep].astype(np.int32),
        "seq": cols["seq"][keep],
        "pid": np.asarray(pid)[keep].astype(np.int32),
        "kind": np.full(int(keep.sum()), kind, dtype=np.int8),
        "ident": ident[keep],
    }


def _last(mask: Column, pid: Column) -> I64:
    # For each row the last row at or before it where mask holds, of the same task; -1: none.
    at = np.maximum.accumulate(np.where(mask, np.arange(pid.size), -1))
    return np.where((at >= 0) & (pid[np.maximum(at, 0)] == pid), at, -1)


def _inferred_rows(stream: Columns, roles: Roles) -> Columns:
    kind, pid = stream["kind"], stream["pid"]
    n = kind.size
    entry = _last(kind == ENTRY, pid)
    user = _last(kind == USER, pid)
    in_run = entry > user
    later = _last(kind[::-1] == ENTRY, pid[::-1])[::-1]
    if "userspace_exit" not in roles.parts:
        in_run &= later >= 0
    before = np.concatenate([[-1], np.arange(n - 1)]) if n else np.zeros(0, dtype=np.int64)
    same = (before >= 0) & (pid[np.maximum(before, 0)] == pid)
    was_in_run = same & in_run[np.maximum(before, 0)]
    switch_in = _last(kind == _IN, pid)
    out: list[tuple[I64, tuple[int, ...]]] = [
        (np.flatnonzero((kind == _OUT) & was_in_run), (SCHED_OUT, ARCH_PUT)),
        (np.flatnonzero((kind == _IN) & was_in_run), (SCHED_IN, ARCH_LOAD)),
        (np.flatnonzero((kind == USER) & was_in_run), (PUT, ARCH_PUT)),
        (np.flatnonzero((kind == ENTRY) & ~was_in_run), (LOAD, ARCH_LOAD)),
    ]
    # The state is prepared before the first entry after each load.
    entries = np.flatnonzero(kind == ENTRY)
    before_entry = np.maximum(_last(kind == ENTRY, pid)[np.maximum(entries - 1, 0)], -1)
    fresh = (switch_in[entries] > before_entry) | ~was_in_run[entries]
    out.append((entries[fresh], (PREP,)))
    rows, kinds = [], []
    for at, codes in out:
        for code in codes:
            rows.append(at)
            kinds.append(np.full(at.size, code, dtype=np.int8))
    for code in (ENTRY, EXIT, USER):
        at = np.flatnonzero(kind == code)
        rows.append(at)
        kinds.append(np.full(at.size, code, dtype=np.int8))
    return _as_piece(stream, np.concatenate(rows), np.concatenate(kinds))


def _as_piece(stream: Columns, row: I64, kind: Column) -> Columns:
    pid = stream["pid"][row]
    piece: Columns = {
        "time": stream["time"][row],
        "cpu": stream["cpu"][row],
        "seq": stream["seq"][row],
        "pid": pid,
        "kind": np.asarray(kind),
        "vcpu": pid.astype(np.int32),
        "pointer": np.zeros(row.size, dtype=np.int64),
        "last_cpu": np.full(row.size, -2, dtype=np.int32),
    }
    for flag in FLAGS:
        value = 1 if flag == "wants" else -1
        piece[flag] = np.full(row.size, value, dtype=np.int8)
    return piece


def _number_vcpus(log: Log, stream: Columns, trace: Trace) -> list[Vcpu]:
    vcpus: list[Vcpu] = []
    table: dict[int, int] = {}
    for pid in np.unique(log.vcpu).tolist():
        idents = stream["ident"][(stream["pid"] == pid) & (stream["ident"] >= 0)]
        ident = int(np.bincount(idents).argmax()) if idents.size else -1
        table[pid] = len(vcpus)
        comm = trace.meta.cmdlines.get(pid, "")
        vcpus.append(Vcpu(len(vcpus), "", ident, 0, 0, pid, comm))
    pids = np.array(sorted(table), dtype=np.int64)
    log.vcpu = np.searchsorted(pids, log.vcpu).astype(np.int32)
    return vcpus

"""Loads and puts inferred from stock tracepoints: sched_switch, kvm_entry, kvm_userspace_exit.

What can be told: a task that enters the guest is a vCPU's; it is in KVM_RUN from its first
kvm_entry after a return to user mode until the next kvm_userspace_exit; each time it is switched
out in between is a sched_out, each time it is switched in again a sched_in. What cannot: loads by
other ioctls, loads that leave KVM_RUN before the first entry, and what ran in between.
"""

from __future__ import annotations

import numpy as np

from ..decode import Column, as_whole
from ..needs import FUNCTIONS, Roles
from ..table import Columns, Trace
from .log import (
    ENTRY,
    EXIT,
    FLAGS,
    I64,
    KIND_OF_PART,
    PREP,
    USER,
    Log,
    Vcpu,
    _assemble,
    _Identities,
    _name_by_task,
    has_pointers,
    probe_pieces,
    read_parts,
)

_OUT, _IN = 20, 21


def infer_log(trace: Trace, roles: Roles) -> Log:
    """Build the log from stock tracepoints; each row that was not seen is inferred.

    What some probes saw is taken from them, and which vCPU a task runs, where one says so.
    """
    stream = _task_stream(trace, roles)
    parts = {p: c for p, c in read_parts(trace, roles).items() if p in FUNCTIONS}
    by_probe = has_pointers(parts)
    if not by_probe:
        parts = {}
    pieces = [_inferred_rows(stream, roles, set(parts))]
    identity = _Identities(parts)
    if by_probe:
        pieces[0]["vcpu"][:] = -1
        pieces += probe_pieces(parts, identity)
    log = _assemble(pieces, roles, is_inferred=True)
    if by_probe:
        _name_tasks(log, stream, identity)
        log.vcpus = identity.finish(log, trace)
    else:
        log.vcpus = _number_vcpus(log, stream, trace)
    log.inferred += _notes(roles, set(parts), trace)
    return log


def _notes(roles: Roles, seen: set[str], trace: Trace) -> list[str]:
    pairs = (("load", "vcpu_load"), ("put", "vcpu_put"), ("sched_in", "kvm_sched_in"),
             ("sched_out", "kvm_sched_out"))  # fmt: skip
    lacking = [function for part, function in pairs if part not in seen]
    if not seen:
        out = [
            "no probes on load and put: loads by KVM_RUN are inferred from kvm_entry and "
            "sched_switch; loads by other ioctls, or that end before the first entry, are not "
            "seen, so how often a rule would have been wrong is not known"
        ]
    else:
        out = [
            "no probe on " + ", ".join(lacking) + ": what they do is inferred from kvm_entry and "
            "sched_switch, the rest is seen; loads by other ioctls than KVM_RUN are not complete, "
            "so how often a rule would have been wrong is not known"
        ]
    if "userspace_exit" not in roles.parts and "put" not in seen:
        out.append(
            "no kvm_userspace_exit: returns to user mode are not seen, so each task counts as "
            "in KVM_RUN from its first to its last kvm_entry"
        )
    if "exit" not in roles.parts:
        out.append("no kvm_exit: time in the guest is not known")
    if not seen and not trace.meta.processes:
        out.append("VMs cannot be told apart: vCPUs are listed by task")
    elif not seen:
        out.append("a VM is a process: no probe records the VM")
    return out


def _name_tasks(log: Log, stream: Columns, identity: _Identities) -> None:
    # The vCPU that the task met last by a probe, else first; tasks that met none are one each.
    _name_by_task(log)
    order = np.argsort(log.pid, kind="stable")[::-1]
    vcpu, pid = log.vcpu[order], log.pid[order]
    last = _last(vcpu >= 0, pid)
    log.vcpu[order] = np.where(vcpu >= 0, vcpu, np.where(last >= 0, vcpu[last], -1))
    for task in np.unique(log.pid[log.vcpu < 0]).tolist():
        ident = _ident_of(stream, task)
        number = identity.number(
            np.zeros(1, dtype=np.int64), np.full(1, -task), np.full(1, ident, dtype=np.int64)
        )
        log.vcpu[(log.vcpu < 0) & (log.pid == task)] = number[0]


def _ident_of(stream: Columns, pid: int) -> int:
    idents = stream["ident"][(stream["pid"] == pid) & (stream["ident"] >= 0)]
    return int(np.bincount(idents).argmax()) if idents.size else -1


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


def _inferred_rows(stream: Columns, roles: Roles, seen: set[str]) -> Columns:
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
    groups = (
        ("sched_out", "arch_put", np.flatnonzero((kind == _OUT) & was_in_run)),
        ("sched_in", "arch_load", np.flatnonzero((kind == _IN) & was_in_run)),
        ("put", "arch_put", np.flatnonzero((kind == USER) & was_in_run)),
        ("load", "arch_load", np.flatnonzero((kind == ENTRY) & ~was_in_run)),
    )
    out: list[tuple[I64, tuple[int, ...]]] = []
    for caller, work, at in groups:
        # A kvm_entry comes behind the load that was seen, so it cannot say why that was.
        late = work in seen and caller in ("put", "load")
        if caller not in seen and not late:
            codes: tuple[int, ...] = (KIND_OF_PART[caller], KIND_OF_PART[work])
            out.append((at, codes[:1] if work in seen else codes))
    if "prep" not in seen:
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
    names, processes = trace.task_names(), trace.meta.processes
    pids = np.unique(log.vcpu)
    # VMs by the first appearance of their process.
    first = [(int(np.flatnonzero(log.vcpu == pid)[0]), int(pid)) for pid in pids]
    owners = dict.fromkeys(processes[pid] for _, pid in sorted(first) if pid in processes)
    vms = {process: f"vm{i}" for i, process in enumerate(owners)}
    for pid in pids.tolist():
        vm = vms.get(processes.get(pid, -1), "")
        vcpus.append(Vcpu(len(vcpus), vm, _ident_of(stream, pid), 0, 0, pid, names.get(pid, "")))
    log.vcpu = np.searchsorted(pids, log.vcpu).astype(np.int32)
    return vcpus

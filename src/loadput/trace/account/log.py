"""One time-ordered log of what happened to every vCPU, from probes or from stock tracepoints."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..decode import as_whole
from ..needs import FUNCTIONS, POINTERS, UNNAMED, Roles, name_pointer
from ..table import Columns, Trace

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
I8 = NDArray[np.int8]

# Kinds, in the order in which events of one instant and CPU are met.
LOAD, PUT, SCHED_IN, SCHED_OUT, ARCH_LOAD, ARCH_PUT = range(6)
PREP, ENTRY, EXIT, USER, BLOCK, SPIN, YIELD_TO = range(6, 13)
KIND_OF_PART = {
    "load": LOAD, "put": PUT, "sched_in": SCHED_IN, "sched_out": SCHED_OUT,
    "arch_load": ARCH_LOAD, "arch_put": ARCH_PUT, "prep": PREP, "entry": ENTRY, "exit": EXIT,
    "userspace_exit": USER, "block": BLOCK, "on_spin": SPIN, "yield_to": YIELD_TO,
}  # fmt: skip
# The flags that probes may carry, -1 where the recording has none.
FLAGS = ("preempted", "ready", "wants", "so")
# sizeof(struct kvm *): preempt_notifier is the field behind vcpu->kvm. Used only where the
# recording does not let us measure it (see _notifier_offset).
NOTIFIER_OFFSET = 8


@dataclass(frozen=True, slots=True)
class Vcpu:
    """One vCPU of the recording. ``vm`` is ``vm0``, ``vm1``.. by first appearance; ``kvm`` and
    ``pointer`` are kernel addresses, 0 where not recorded; ``pid`` is the task that entered the
    guest most often with it, or loaded it."""

    index: int
    vm: str
    id: int
    pointer: int
    kvm: int
    pid: int
    comm: str

    @property
    def name(self) -> str:
        """``vm0/2``; where the VM is not known a pid tells the vCPUs apart: ``vcpu2@4711``."""
        if self.vm:
            return f"{self.vm}/{self.id if self.id >= 0 else f'@{self.pid}'}"
        return f"vcpu{self.id if self.id >= 0 else ''}@{self.pid}"


@dataclass(slots=True)
class Log:
    """Columns of one row per event, sorted by (time, cpu, seq).

    ``time`` int64, ``cpu`` int32, ``pid`` int32, ``kind`` int8, ``vcpu`` int32 (index into
    ``vcpus``, -1 unknown), ``last_cpu`` int32 (vcpu->cpu at the event, -2 not recorded), and
    ``flags[name]`` int8. ``inferred`` are sentences about what was inferred and how.
    """

    time: I64
    cpu: I32
    seq: I64
    pid: I32
    kind: I8
    vcpu: I32
    last_cpu: I32
    flags: dict[str, I8]
    vcpus: list[Vcpu]
    roles: Roles
    is_inferred: bool
    inferred: list[str] = field(default_factory=list)
    runs: dict[str, I64] = field(default_factory=dict)

    def rows(self, kind: int) -> I64:
        """Row numbers of one kind, in time order."""
        return np.flatnonzero(self.kind == kind)


def probed_log(trace: Trace, roles: Roles) -> Log:
    """Build the log from probes."""
    parts = read_parts(trace, roles)
    by_task = not has_pointers(parts)
    if by_task:
        for part in FUNCTIONS.keys() & parts.keys():
            parts[part]["vcpu"] = parts[part]["pid"].astype(np.int64)
    identity = _Identities(parts)
    log = _assemble(probe_pieces(parts, identity), roles)
    log.vcpus = identity.finish(log, trace)
    if by_task:
        log.vcpus = [replace(vcpu, pointer=0) for vcpu in log.vcpus]
        log.inferred.append(
            "no probe records the vCPU (a field `vcpu`, `pn` or `arg1`): each task that runs the "
            "probed functions is taken for one"
        )
    _name_by_task(log)
    if missing := [p for p in ("load", "put", "sched_in", "sched_out") if p not in parts]:
        log.inferred.append(
            "no probe on " + ", ".join(missing) + ": causes of loads rest on what is there"
        )
    if absent := [p for p in ("arch_load", "arch_put") if p not in parts]:
        log.inferred.append(
            "no probe on " + " and ".join(FUNCTIONS[p][0] for p in absent) + ": those by "
            "vcpu_load, vcpu_put and the scheduler are seen by their callers, others are not"
        )
    return log


def read_parts(trace: Trace, roles: Roles) -> dict[str, Columns]:
    """The columns of the events that play a part in the log, each part's."""
    used = {part: roles.parts[part] for part in KIND_OF_PART if part in roles.parts}
    wanted = (*POINTERS, UNNAMED, "kvm", "id", "vcpu_cpu", "vcpu_id", *FLAGS)
    fields = {name: [f for f in trace.fields(name) if f in wanted] for name in used.values()}
    got = trace.column_set(fields)
    parts = {part: got[name] for part, name in used.items()}
    for part, cols in parts.items():
        if part in FUNCTIONS and roles.functions.get(used[part]):
            name_pointer(cols, roles.functions[used[part]])
    return parts


def has_pointers(parts: dict[str, Columns]) -> bool:
    """Whether any probe says which vCPU it is about."""
    return any(set(POINTERS) & set(cols) for cols in parts.values())


def probe_pieces(parts: dict[str, Columns], identity: _Identities) -> list[Columns]:
    """Rows of the log for each part; a load or put that has no probe of its own stands where its
    caller has one."""
    pieces = {part: _piece(cols, KIND_OF_PART[part], identity) for part, cols in parts.items()}
    out = list(pieces.values())
    callers = {"arch_load": ("load", "sched_in"), "arch_put": ("put", "sched_out")}
    for part, by in callers.items():
        for caller in by if part not in parts else ():
            if caller in pieces:
                piece = dict(pieces[caller])
                kind = np.full(piece["time"].size, KIND_OF_PART[part], dtype=np.int8)
                out.append({**piece, "kind": kind})
    return out


def _notifier_offset(parts: dict[str, Columns]) -> int:
    # pn - vcpu, measured: the commonest distance between what the probes have of both.
    known = [np.unique(as_whole(c["vcpu"], 0)) for c in parts.values() if "vcpu" in c]
    seen = [
        np.unique(as_whole(c["pn"], 0)) for c in parts.values() if "pn" in c and "vcpu" not in c
    ]
    if not known or not seen:
        return NOTIFIER_OFFSET
    gaps = (np.unique(np.concatenate(seen))[:, None] - np.unique(np.concatenate(known))).ravel()
    values, counts = np.unique(gaps[(gaps > 0) & (gaps < 4096)], return_counts=True)
    return int(values[counts.argmax()]) if values.size else NOTIFIER_OFFSET


class _Identities:
    """Numbers vCPUs: by (kvm, pointer, id) where recorded, else by what there is."""

    def __init__(self, parts: dict[str, Columns]) -> None:
        self.is_rich = any("kvm" in cols and "id" in cols for cols in parts.values())
        self.offset = _notifier_offset(parts)
        self.index: dict[tuple[int, int, int], int] = {}

    def number(self, kvm: I64, pointer: I64, ident: I64) -> I32:
        if not pointer.size:
            return np.zeros(0, dtype=np.int32)
        # Odd multipliers: distinct (kvm, pointer, id) get distinct sums but for 2^-64 bad luck.
        mixed = pointer * np.int64(0x5851F42D4C957F2D) + kvm * np.int64(0x2545F4914F6CDD1D) + ident
        _, where, inverse = np.unique(mixed, return_index=True, return_inverse=True)
        table = []
        for row in where.tolist():
            key = (int(kvm[row]), int(pointer[row]), int(ident[row]))
            table.append(self.index.setdefault(key, len(self.index)))
        return np.array(table, dtype=np.int32)[inverse.reshape(-1)]

    def finish(self, log: Log, trace: Trace) -> list[Vcpu]:
        """Make the vCPUs, in order of first appearance of their VM, then by id."""
        names = trace.task_names()
        first: dict[int, int] = {}
        for index in np.unique(log.vcpu[log.vcpu >= 0]).tolist():
            first[index] = int(np.flatnonzero(log.vcpu == index)[0])
        by_index = {index: key for key, index in self.index.items()}
        vms: dict[int, str] = {}
        for index in sorted(first, key=lambda i: first[i]):
            kvm = by_index[index][0]
            if kvm and kvm not in vms:
                vms[kvm] = f"vm{len(vms)}"
        order = sorted(
            first,
            key=lambda i: (
                list(vms).index(by_index[i][0]) if by_index[i][0] else -1,
                by_index[i][2],
                first[i],
            ),
        )
        renumber = np.full(len(self.index) + 1, -1, dtype=np.int32)
        vcpus = []
        for new, index in enumerate(order):
            renumber[index] = new
            kvm, pointer, ident = by_index[index]
            pid = _main_task(log, index)
            comm = names.get(pid, "")
            vcpus.append(
                Vcpu(
                    new,
                    vms.get(kvm, ""),
                    ident,
                    max(pointer, 0) if abs(pointer) < 1 << 32 else pointer & (2**64 - 1),
                    kvm & (2**64 - 1),
                    pid,
                    comm,
                )
            )
        log.vcpu = renumber[log.vcpu]
        return vcpus


def _main_task(log: Log, index: int) -> int:
    for kinds in ((PREP,), (SCHED_IN,), (ARCH_LOAD, LOAD)):
        pids = log.pid[(log.vcpu == index) & np.isin(log.kind, kinds)]
        if pids.size:
            values, counts = np.unique(pids, return_counts=True)
            return int(values[counts.argmax()])
    pids = log.pid[log.vcpu == index]
    return int(pids[0]) if pids.size else -1


def _piece(cols: Columns, kind: int, identity: _Identities) -> Columns:
    offset = identity.offset
    n = cols["time_ns"].size
    pointer = np.zeros(n, dtype=np.int64)
    if "vcpu" in cols:
        pointer = as_whole(cols["vcpu"], 0)
    elif "pn" in cols:
        pointer = as_whole(cols["pn"], offset) - offset
    vcpu = np.full(n, -1, dtype=np.int32)
    if pointer.any():
        kvm = as_whole(cols["kvm"], 0) if "kvm" in cols else np.zeros(n, dtype=np.int64)
        ident = as_whole(cols["id"]) if "id" in cols else np.full(n, -1, dtype=np.int64)
        if not identity.is_rich or ("kvm" in cols and "id" in cols):
            vcpu = identity.number(kvm, pointer, ident)
    out: Columns = {
        "time": cols["time_ns"], "cpu": cols["cpu"].astype(np.int32), "seq": cols["seq"],
        "pid": cols["pid"], "kind": np.full(n, kind, dtype=np.int8), "vcpu": vcpu,
        "pointer": pointer,
        "last_cpu": as_whole(cols.get("vcpu_cpu", np.full(n, -2)), -2).astype(np.int32),
    }  # fmt: skip
    for flag in FLAGS:
        column = cols.get(flag)
        whole = as_whole(column) if column is not None else np.full(n, -1)
        out[flag] = np.where((whole < -1) | (whole > 1), 1, whole).astype(np.int8)
    return out


def _assemble(pieces: list[Columns], roles: Roles, *, is_inferred: bool = False) -> Log:
    whole = {key: np.concatenate([p[key] for p in pieces]) for key in pieces[0]}
    order = np.lexsort((whole["kind"], whole["seq"], whole["cpu"], whole["time"]))
    cols = {key: column[order] for key, column in whole.items()}
    _fill_by_pointer(cols)
    return Log(
        cols["time"], cols["cpu"], cols["seq"], cols["pid"], cols["kind"], cols["vcpu"],
        cols["last_cpu"], {f: cols[f] for f in FLAGS}, [], roles, is_inferred,
    )  # fmt: skip


def _fill_by_pointer(cols: Columns) -> None:
    # Events with the pointer alone: the vCPU last seen at that address.
    lacking = np.flatnonzero((cols["vcpu"] < 0) & (cols["pointer"] != 0))
    if not lacking.size:
        return
    have = np.flatnonzero(cols["vcpu"] >= 0)
    for pointer in np.unique(cols["pointer"][lacking]).tolist():
        rows = lacking[cols["pointer"][lacking] == pointer]
        known = have[cols["pointer"][have] == pointer]
        if known.size:
            at = np.maximum(np.searchsorted(known, rows) - 1, 0)
            cols["vcpu"][rows] = cols["vcpu"][known[at]]


def _name_by_task(log: Log) -> None:
    # kvm_entry and its like carry no pointer: the vCPU that the task has loaded.
    order = np.argsort(log.pid, kind="stable")
    vcpu, pid = log.vcpu[order], log.pid[order]
    # The vCPU of a directed yield is its target, not the task's own.
    own = (vcpu >= 0) & (log.kind[order] != YIELD_TO)
    last = np.maximum.accumulate(np.where(own, np.arange(vcpu.size), -1))
    same = (last >= 0) & (pid[np.maximum(last, 0)] == pid)
    filled = np.where(same, vcpu[np.maximum(last, 0)], -1)
    log.vcpu[order] = np.where(vcpu >= 0, vcpu, filled)

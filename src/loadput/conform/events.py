"""From a recording to symbols: one row per probe event of a vCPU, with what came between them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..base.errors import TraceError
from ..trace.account.loads import find_before
from ..trace.decode import as_whole
from ..trace.needs import POINTERS, UNNAMED, Roles, find_roles, name_pointer
from ..trace.table import FLAG_IRQS_OFF, Columns, Trace
from .restores import LOAD, read_fields, read_former
from .stream import EVER, Stream
from .symbols import (
    ABSENT,
    BLOCKED,
    BLOCKED_OR_SIGNAL,
    CPU_ABSENT,
    CPU_BEFORE,
    CPU_ELSE,
    CPU_HERE,
    CPU_NONE,
    CPU_SAME,
    EXIT_ABSENT,
    FIELDS,
    FLAGS,
    FORMER_UNKNOWN,
    MAYBE_WOKEN,
    NOT_WOKEN,
    RADIX,
    RUNNABLE,
    STORED,
    UNKNOWN,
    WOKEN,
)
from .wakings import Switches, Wakings

BOOL = NDArray[np.bool_]
I8 = NDArray[np.int8]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

NOT_PROBED = -(1 << 20)
# Functions that a vCPU's task calls outside kvm_vcpu_block(): the wait before is over.
BLOCK, WORK = "kvm_vcpu_block", ("svm_prepare_switch_to_guest", "vmx_prepare_switch_to_guest")
COMMON = ("vcpu_load", "vcpu_put", "kvm_sched_in", "kvm_sched_out")


@dataclass(slots=True)
class Events:
    """The rows, by vCPU, then time; ``bounds``: where each unbroken run of rows begins;
    ``inside``: rows at a time that every CPU's buffer reaches.

    ``points[event]`` is (function, "entry" or "return"); ``names[event]`` the event's name.
    """

    points: list[tuple[str, str]]
    names: list[str]
    event: I8
    time: I64
    cpu: I32
    pid: I32
    vcpu: I32
    vcpus: list[tuple[int, int, int]]
    flags: dict[str, I8]
    vcpu_cpu: I32
    irqs_off: BOOL
    preempt: NDArray[np.uint8]
    symbol: I64
    bounds: I64
    inside: BOOL
    has_context: bool
    context_note: str
    dirty: I8 = field(default_factory=lambda: np.zeros(0, dtype=np.int8))
    notes: list[str] = field(default_factory=list)
    total: int = 0


def read_events(trace: Trace, known: set[str], held: set[str], *, skips: bool = False) -> Events:
    """Build the rows of every probe on a function in ``known`` that says which vCPU it is about.

    :param held: functions that only the task which holds the vCPU runs
    :param skips: whether a load of some release may skip the restore of CSRs
    :raises TraceError: LP0622, no probe on the functions that the specification has
    """
    roles = find_roles(trace)
    used = _choose(trace, roles, known)
    if not {f for f, _ in used.values()} & {*COMMON, "kvm_arch_vcpu_load", "kvm_arch_vcpu_put"}:
        raise TraceError(
            "LP0622", "the recording has no probe on vcpu_load, vcpu_put, kvm_sched_in, "
            "kvm_sched_out, kvm_arch_vcpu_load or kvm_arch_vcpu_put",
            where=trace.path, got="; ".join(m.text for m in trace.missing[:2]),
            available=", ".join(list(trace.events())[:30]) or "no events",
            next="docs/traces.md says how to record",
        )  # fmt: skip
    names = list(used)
    wanted = (*POINTERS, UNNAMED, "kvm", "id", *FIELDS.values())
    got = trace.column_set({n: [f for f in trace.fields(n) if f in wanted] for n in names})
    for name, (function, edge) in used.items():
        if edge == "entry":
            name_pointer(got[name], function)
    cols = _assemble([_piece(got.pop(n), i, used[n]) for i, n in enumerate(names)])
    _name(cols)
    _drop_strangers(cols, [used[n][0] in held for n in names])
    order = _by(cols["vcpu"])
    cols = {k: v[order] for k, v in cols.items()}
    vcpus = _identities(cols)
    events = Events(
        [used[n] for n in names], names, cols["event"], cols["time"], cols["cpu"], cols["pid"],
        cols["vcpu"], vcpus, {f: cols[f] for f in FLAGS}, cols["vcpu_cpu"], cols["irqs"],
        cols["depth"], np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64),
        np.zeros(0, dtype=np.bool_), False, "",
        total=sum(trace.events().values()),
    )  # fmt: skip
    _judge_context(events)
    switches = Switches(trace, roles)
    low, high = _window(trace)
    events.inside = (events.time >= low) & (events.time <= high)
    events.bounds = _bounds(events, trace, low)
    _pack(events, trace, roles, switches, skips)
    return events


def _choose(trace: Trace, roles: Roles, known: set[str]) -> dict[str, tuple[str, str]]:
    # One event per point: the one with the most of the fields that are compared.
    best: dict[tuple[str, str], tuple[int, str]] = {}
    back = set(roles.returns.values())
    for name, function in sorted(roles.functions.items()):
        if function not in known:
            continue
        fields = set(trace.fields(name))
        point = (function, "return" if name in back else "entry")
        if point[1] == "entry" and not fields & {*POINTERS, UNNAMED}:
            continue
        rank = (-len(fields & {*FIELDS.values(), *POINTERS, UNNAMED, "kvm", "id"}), name)
        best[point] = min(best.get(point, rank), rank)
    return {name: point for point, (_, name) in sorted(best.items())}


def _piece(cols: Columns, event: int, point: tuple[str, str]) -> Columns:
    n = cols["time_ns"].size
    zero = np.zeros(n, dtype=np.int64)
    out: Columns = {
        "time": cols["time_ns"], "cpu": cols["cpu"].astype(np.int32), "seq": cols["seq"],
        "pid": cols["pid"], "event": np.full(n, event, dtype=np.int8),
        "pointer": as_whole(cols["vcpu"], 0) if "vcpu" in cols else zero,
        "pn": as_whole(cols["pn"], 0) if "pn" in cols and "vcpu" not in cols else zero,
        "kvm": as_whole(cols["kvm"], 0) if "kvm" in cols else zero,
        "id": as_whole(cols["id"]) if "id" in cols else zero - 1,
        "irqs": (cols["flags"] & FLAG_IRQS_OFF) != 0,
        "depth": cols["preempt_depth"] & 0x0F,
    }  # fmt: skip
    for flag in FLAGS:
        name = FIELDS[flag]
        value = as_whole(cols[name]) if name in cols else zero + ABSENT
        out[flag] = value.astype(np.int8) if name not in cols else (value != 0).astype(np.int8)
    field_name = FIELDS["cpu"]
    place = as_whole(cols[field_name]) if field_name in cols else zero + NOT_PROBED
    out["vcpu_cpu"] = place.astype(np.int32)
    return out


def _assemble(pieces: list[Columns]) -> Columns:
    cols = {k: np.concatenate([p[k] for p in pieces]) for k in pieces[0]}
    pieces.clear()
    order = np.lexsort((cols["seq"], cols["cpu"], cols["time"]))
    for key in list(cols):
        cols[key] = cols[key][order]
    del cols["seq"]
    known, seen = np.unique(cols["pointer"]), np.unique(cols["pn"])
    gaps = (seen[seen != 0][:, None] - known[known != 0][None, :]).ravel()
    values, counts = np.unique(gaps[(gaps > 0) & (gaps < 4096)], return_counts=True)
    # preempt_notifier follows vcpu->kvm; measured where the recording has both pointers.
    offset = int(values[counts.argmax()]) if values.size else 8
    has = cols["pn"] != 0
    cols["pointer"] = np.where(has, cols["pn"] - offset, cols["pointer"])
    del cols["pn"]
    return cols


def _by(column: I32) -> I64:
    # Rows by `column`, else as they are; numbers of 16 bits are sorted by their digits.
    small = column.size and int(column.min()) >= -(1 << 15) and int(column.max()) < 1 << 15
    return np.argsort(column.astype(np.int16) if small else column, kind="stable")


def _name(cols: Columns) -> None:
    """Number the vCPUs; a return that says nothing is about the vCPU its task met last."""
    pointer, kvm, ident = cols["pointer"], cols["kvm"], cols["id"]
    rich = (kvm != 0) & (ident >= 0)
    mixed = pointer * np.int64(0x5851F42D4C957F2D)
    if rich.any():
        # A pointer alone takes the VM and id that were last seen at that address.
        order = np.argsort(pointer, kind="stable")
        at = np.maximum.accumulate(np.where(rich[order], np.arange(order.size), 0))
        source = order[at]
        same = pointer[source] == pointer[order]
        for key in ("kvm", "id"):
            cols[key][order] = np.where(same, cols[key][source], cols[key][order])
        mixed += cols["kvm"] * np.int64(0x2545F4914F6CDD1D)
        mixed += cols["id"]
    number = np.searchsorted(np.unique(mixed), mixed).astype(np.int32)
    order = _by(cols["pid"])
    has = pointer[order] != 0
    at = np.maximum.accumulate(np.where(has, np.arange(order.size), 0))
    good = has[at] & (cols["pid"][order][at] == cols["pid"][order])
    number[order] = np.where(good, number[order][at], -1)
    cols["vcpu"] = number


def _drop_strangers(cols: Columns, holds: list[bool]) -> None:
    # Another task names the vCPU too (the target of a yield): only its holder's own calls count.
    order = _by(cols["vcpu"])
    vcpu, pid = cols["vcpu"][order], cols["pid"][order]
    held = np.array(holds)[cols["event"][order]]
    at = np.maximum.accumulate(np.where(held, np.arange(order.size), -1))
    spot = np.maximum(at, 0)
    good = held | ((at >= 0) & (vcpu[spot] == vcpu) & (pid[spot] == pid))
    keep = np.empty(order.size, dtype=np.bool_)
    keep[order] = good
    keep &= cols["vcpu"] >= 0
    for key in list(cols):
        cols[key] = cols[key][keep]


def _identities(cols: Columns) -> list[tuple[int, int, int]]:
    # (kvm, id, pointer) per vCPU, renumbered without holes; rows are sorted by vCPU.
    out = []
    for row in np.flatnonzero(np.diff(cols["vcpu"], prepend=-2)).tolist():
        out.append((int(cols["kvm"][row]), int(cols["id"][row]), int(cols["pointer"][row])))
    change = np.diff(cols["vcpu"], prepend=cols["vcpu"][:1]) != 0
    cols["vcpu"] = np.cumsum(change).astype(np.int32)
    return out


def _window(trace: Trace) -> tuple[int, int]:
    """The time that every CPU's buffer reaches: a ring buffer that wrapped begins late."""
    ends = trace.cpu_ranges().values()
    return max(low for low, _ in ends), min(high for _, high in ends)


def _bounds(e: Events, trace: Trace, low: int) -> I64:
    # Every vCPU begins anew, and again behind each place where events were lost.
    starts = [np.flatnonzero(np.diff(e.vcpu, prepend=-1))]
    same = e.vcpu[1:] == e.vcpu[:-1]
    for gap in [low - 1, *[m.time_ns for m in trace.missing if m.time_ns >= 0]]:
        after = e.time > gap
        starts.append(np.flatnonzero(after & ~np.concatenate([[False], after[:-1] & same])))
    return np.unique(np.concatenate(starts)).astype(np.int64)


def _judge_context(e: Events) -> None:
    """Whether the flags in front of an event are the task's own: not for handlers in exceptions."""
    entry = {p[0]: i for i, p in enumerate(e.points) if p[1] == "entry"}
    free = np.isin(e.event, [entry[f] for f in ("vcpu_load", "vcpu_put") if f in entry])
    held = np.isin(e.event, [entry[f] for f in ("kvm_sched_out", "kvm_sched_in") if f in entry])
    if not free.any() or not held.any():
        e.context_note = "no probe on both vcpu_load/put and kvm_sched_in/out to calibrate with"
    elif e.irqs_off[free].mean() > 0.5:
        e.context_note = "the probe handler's own: IRQs are off at vcpu_load"
    elif (e.preempt[free] != 0).mean() > 0.5 or (e.preempt[held] == 0).mean() > 0.5:
        e.context_note = "preempt depth is the probe handler's own, or not kept by this kernel"
    else:
        e.has_context = True


def _pack(e: Events, trace: Trace, roles: Roles, switches: Switches, skips: bool) -> None:
    out, woken, late = _between(e, trace, roles, switches)
    first = np.zeros(e.event.size, dtype=np.bool_)
    first[e.bounds] = True
    last_cpu = np.concatenate([e.cpu[:1], e.cpu[:-1]])
    moved = (e.cpu != last_cpu) & ~first
    # vcpu->cpu as last probed, before this row.
    probed = e.vcpu_cpu != NOT_PROBED
    at = np.maximum.accumulate(np.where(probed, np.arange(probed.size), 0))
    before = np.concatenate([[NOT_PROBED], e.vcpu_cpu[at][:-1]]) if at.size else e.vcpu_cpu
    returned = moved & (before == e.cpu)
    place = np.select(
        [~probed, e.vcpu_cpu < 0, e.vcpu_cpu == e.cpu, e.vcpu_cpu == last_cpu,
         e.vcpu_cpu == before],
        [CPU_ABSENT, CPU_NONE, CPU_HERE, CPU_BEFORE, CPU_SAME], CPU_ELSE,
    )  # fmt: skip
    parts = [*(e.flags[f] for f in FLAGS), place, out, woken, late, moved, returned]
    parts += [*_restores(e, trace, roles, skips), e.event]
    symbol = np.zeros(e.event.size, dtype=np.int64)
    for part, radix in zip(reversed(parts), (1, *reversed(RADIX)), strict=True):
        symbol = symbol * radix + part
    e.symbol = symbol


def _restores(e: Events, trace: Trace, roles: Roles, skips: bool) -> list[I8]:
    """Per row: whose load was before on this CPU, the vCPU's last exit, whether it is dirty."""
    nothing = (FORMER_UNKNOWN, EXIT_ABSENT, ABSENT)
    out = [np.full(e.event.size, code, dtype=np.int8) for code in nothing]
    loads = [i for i, p in enumerate(e.points) if p == (LOAD, "entry")]
    if not skips or not loads:
        return out
    rows = np.flatnonzero(e.event == loads[0]).astype(np.int64)
    pointer = np.array([p for _, _, p in e.vcpus], dtype=np.int64)[e.vcpu]
    where = (rows, e.cpu.astype(np.int64), e.time, pointer)
    gaps = [m.time_ns for m in trace.missing]
    found = (read_former(*where, gaps), *read_fields(trace, roles, *where))
    for column, values in zip(out, found, strict=True):
        column[rows] = values
    e.dirty = out[2]
    if (found[1] == EXIT_ABSENT).all():
        e.notes.append("last_exit_cpu is not recorded: which loads skip the CSRs is open")
    return out


def _between(e: Events, trace: Trace, roles: Roles, switches: Switches) -> tuple[I8, I8, BOOL]:
    """Per row: how __schedule left the task, who set ready since, whether a wakeup is near."""
    n = e.event.size
    out, woken = np.full(n, UNKNOWN, dtype=np.int8), np.full(n, NOT_WOKEN, dtype=np.int8)
    entry = {p[0]: i for i, p in enumerate(e.points) if p[1] == "entry"}
    rows = np.flatnonzero(e.event == entry.get("kvm_sched_out", -1))
    stream = Stream(trace, roles, trusts_probes=e.has_context)
    wakings = Wakings(e, trace, roles, switches, stream)
    late = _may_be_late(e, stream, wakings)
    back = _next(np.flatnonzero(e.event == entry.get("kvm_sched_in", -1)), rows, e.vcpu)
    before = np.where((rows > 0) & (e.vcpu[rows - 1] == e.vcpu[rows]), rows - 1, -1)
    was_woken = wakings.between(np.where(back >= 0, back, rows), before)
    runnable, known = switches.left_runnable(e, rows)
    if not switches.seen:
        e.notes.append("sched_switch is not recorded: whether a task blocked is open")
    seen_back = (back >= 0) & e.inside[np.maximum(back, 0)]
    kept = np.where(was_woken, BLOCKED, np.where(seen_back, RUNNABLE, BLOCKED_OR_SIGNAL))
    if not wakings.seen:
        kept = np.full(rows.size, BLOCKED_OR_SIGNAL)
        e.notes.append("sched_waking is not recorded: who was woken, and when, is open")
    state = np.where(runnable, RUNNABLE, kept)
    out[rows] = np.where(known, state, UNKNOWN)
    waits = _is_waiting(e, trace, roles, rows, entry)
    by_kvm = np.where(waits == 1, WOKEN, np.where(waits == 0, NOT_WOKEN, MAYBE_WOKEN))
    if not wakings.seen:
        by_kvm = np.full(rows.size, MAYBE_WOKEN)
    left = out[rows]
    by_kvm = np.where(left == BLOCKED, by_kvm, np.where(left == RUNNABLE, NOT_WOKEN, MAYBE_WOKEN))
    good = back >= 0
    stored = (by_kvm == WOKEN) & good & wakings.have_stored(rows, back, stream)
    stored &= _enters_guest(e, trace, roles, np.where(good, back, rows), entry)
    woken[back[good]] = np.where(stored, STORED, by_kvm)[good]
    if "kvm_sched_out" not in entry:
        woken[e.event == entry.get("kvm_sched_in", -1)] = MAYBE_WOKEN
    return out, woken, late


def _may_be_late(e: Events, stream: Stream, wakings: Wakings) -> BOOL:
    """Per row: whether a waker's store to `ready` may lie between its last read and this one."""
    low, high = stream.read_window(e.cpu, e.time)
    reads = e.flags["ready"] != ABSENT
    first = np.zeros(e.event.size, dtype=np.bool_)
    first[e.bounds] = True
    # The last row before that read it, of the same vCPU without a gap between.
    at = np.maximum.accumulate(np.where(reads | first, np.arange(e.event.size), 0))
    before = np.concatenate([[0], at[:-1]])
    since = np.where(first | ~reads[before], EVER, low[before])
    return wakings.may_store(since, high)


def _enters_guest(e: Events, trace: Trace, roles: Roles, rows: I64, entry: dict[str, int]) -> BOOL:
    """Whether the guest is entered behind each row before the vCPU is put or switched out again:
    then no signal woke it."""
    name = roles.parts.get("entry")
    if name is None or not {"vcpu_put", "kvm_sched_out"} <= set(entry) or not rows.size:
        return np.zeros(rows.size, dtype=np.bool_)
    ends = np.isin(e.event, [entry["vcpu_put"], entry["kvm_sched_out"]])
    end = _next(np.flatnonzero(ends), rows, e.vcpu)
    cols = trace.columns(name, [])
    order = np.lexsort((cols["time_ns"], cols["pid"]))
    key, time = cols["pid"][order].astype(np.int64), cols["time_ns"][order]
    at = find_before(key, time, e.pid[rows].astype(np.int64), e.time[np.maximum(end, 0)])
    return (
        (end >= 0) & (at >= 0) & (time[np.maximum(at, 0)] > e.time[rows]) if key.size else end < 0
    )


def _next(targets: I64, rows: I64, vcpu: I32) -> I64:
    # For each row the first of `targets` behind it, of the same vCPU; -1 where there is none.
    if not targets.size:
        return np.full(rows.size, -1, dtype=np.int64)
    spot = np.searchsorted(targets, rows, "right")
    found = targets[np.minimum(spot, targets.size - 1)]
    return np.where((spot < targets.size) & (vcpu[found] == vcpu[rows]), found, -1)


def _is_waiting(
    e: Events, trace: Trace, roles: Roles, rows: I64, entry: dict[str, int]
) -> NDArray[np.int64]:
    """For each sched_out whether it is in kvm_vcpu_block(): 1, 0, or -1 where that has no probe."""
    if BLOCK not in entry:
        return np.full(rows.size, -1)
    ends = [entry[f] for f in (BLOCK, *WORK, "vcpu_load", "vcpu_put") if f in entry]
    marks = np.flatnonzero(np.isin(e.event, ends))
    spot = np.searchsorted(marks, rows) - 1
    mark = marks[np.maximum(spot, 0)]
    # The run's first row says where the recording of this vCPU begins.
    begins = e.bounds[np.searchsorted(e.bounds, rows, "right") - 1]
    seen = (spot >= 0) & (mark >= begins)
    waits = e.event[mark] == entry[BLOCK]
    name = roles.parts.get("entry")
    if name is not None:
        cols = trace.columns(name, [])
        order = np.lexsort((cols["time_ns"], cols["pid"]))
        key, time = cols["pid"][order].astype(np.int64), cols["time_ns"][order]
        at = find_before(key, time, e.pid[rows].astype(np.int64), e.time[rows])
        waits &= (at < 0) | (time[np.maximum(at, 0)] < e.time[mark])
    return np.where(seen, waits.astype(np.int64), -1).astype(np.int64)

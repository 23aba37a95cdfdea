"""One recording's accounting, as plain data: what the text, the JSON and the pictures show."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadput.base.errors import TraceError
from loadput.base.shown import html_table

from ..table import Trace
from .costs import Cost, load_costs
from .loads import CAUSES, REASONS, Loads, Outs, find_loads, find_outs, guest_time
from .log import Log, Vcpu
from .read import read_log
from .skip import TAGGED, Skip, count_skips
from .stats import Dist, describe
from .steal import count_steal
from .yields import Yields, count_yields

BOOL = NDArray[np.bool_]
I64 = NDArray[np.int64]
SCHEMA = 1


@dataclass(slots=True)
class Row:
    """Loads and puts of one vCPU, VM, CPU, or of all.

    ``loads``, ``outs``: counts by cause and by reason; ``migrations``: loads on another CPU than
    the last; ``loaded_ns``, ``guest_ns`` (-1 not known), ``preempted_ns`` (switched out while
    runnable), ``blocked_ns`` (until woken), ``woken_ns`` (from wakeup to load), ``steal_ns`` (the
    task was runnable and not running, loaded or not; -1 not known). ``vcpu_count``: whose times
    these are; 0 for a CPU.
    """

    name: str
    loads: dict[str, int]
    outs: dict[str, int]
    migrations: int
    loaded_ns: int
    guest_ns: int
    preempted_ns: int
    blocked_ns: int
    woken_ns: int
    steal_ns: int = -1
    vcpu_count: int = 0


@dataclass(slots=True)
class Instead:
    """Who ran when a runnable vCPU was switched out: ``count`` times, ``wait_ns`` in all."""

    name: str
    count: int
    wait_ns: int
    is_vcpu: bool


@dataclass(slots=True)
class Saving:
    """What the rule that is never wrong saves: ``count`` pieces of ``work``, cycles in all."""

    work: str
    rule: str
    count: int
    of: int
    cycles_low: float
    cycles_high: float
    source: str
    share_low: float = -1.0
    share_high: float = -1.0


@dataclass(slots=True, repr=False)
class Accounting:
    """The accounting of one recording. All times are the recording's own clock, in ns."""

    schema: int
    file: str
    kind: str
    uname: str
    clock: str
    has_ns_clock: bool
    start_ns: int
    end_ns: int
    event_count: int
    cpu_count: int
    is_inferred: bool
    notes: list[str]
    missing: list[str]
    vcpus: list[Vcpu]
    total: Row
    by_vm: list[Row]
    by_vcpu: list[Row]
    by_cpu: list[Row]
    dists: dict[str, Dist]
    instead: list[Instead]
    yields: Yields
    skips: list[Skip]
    savings: list[Saving]
    absent: list[str]
    command: str = ""
    events: dict[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        loads = sum(self.total.loads.values())
        told = f"{loads:,} loads, {self.total.migrations:,} on another CPU than the last"
        return f"<{self.file}: {len(self.by_vcpu)} vCPUs, {self.cpu_count} CPUs, {told}>"

    def rows(self) -> list[dict[str, Any]]:
        """A dict per vCPU: loads, puts, migrations, and times in ns (-1: not known)."""
        times = ("loaded_ns", "guest_ns", "preempted_ns", "blocked_ns", "woken_ns", "steal_ns")
        return [
            {
                "name": r.name,
                "loads": sum(r.loads.values()),
                "outs": sum(r.outs.values()),
                "migrations": r.migrations,
                **{t: getattr(r, t) for t in times},
            }
            for r in self.by_vcpu
        ]

    def _repr_html_(self) -> str:
        """A notebook's form."""
        return html_table(repr(self), self.rows())

    @property
    def span_ns(self) -> int:
        return self.end_ns - self.start_ns


def account_trace(
    trace: Trace,
    *,
    vm: str | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    ghz: float | None = None,
    costs: str | Path | None = None,
) -> Accounting:
    """Account for every load and put of ``trace``.

    State (who loaded last where) is followed over the whole recording; ``vm`` and the window
    choose which loads are counted.

    :param vm: ``vm0``.. by first appearance, or a kernel address of struct kvm in hex
    :param start_ns: count loads from here on, in the recording's clock
    :param end_ns: count loads before this
    :param ghz: CPU frequency, for the share of time; only where the clock is a real machine's
    :param costs: cost table to use instead of the shipped one
    :raises TraceError: LP0610 the recording cannot answer; LP0611 no such VM or empty window
    """
    log = read_log(trace)
    loads, outs = find_loads(log), find_outs(log, trace)
    low = int(log.time[0]) if log.time.size else 0
    high = int(log.time[-1]) if log.time.size else 0
    low = max(low, start_ns) if start_ns is not None else low
    high = min(high, end_ns) if end_ns is not None else high
    chosen = _chosen_vcpus(log, vm, trace)
    if high < low:
        raise TraceError(
            "LP0611",
            "the window holds nothing",
            where=trace.path,
            got=f"{low / 1e9:.6f} .. {high / 1e9:.6f} s",
            expected=f"within {log.time[0] / 1e9:.6f} .. {log.time[-1] / 1e9:.6f} s"
            if log.time.size
            else "an event on a vCPU",
        )
    use = chosen[loads.vcpu] & (loads.time >= low) & (loads.time <= high)
    use_out = chosen[outs.vcpu] & (outs.start >= low) & (outs.start <= high)
    skips = count_skips(log, loads, trace, use, (low, high))
    result = _assemble(trace, log, loads, outs, use, use_out, (low, high))
    _add_steal(result, log, chosen, count_steal(trace, log, (low, high)))
    result.skips = skips
    result.savings = _savings(result, log, loads, use, load_costs(costs), ghz)
    return result


def _add_steal(result: Accounting, log: Log, chosen: BOOL, steal: I64 | None) -> None:
    vcpus = [v for v in log.vcpus if chosen[v.index]]
    rows = {"all": (result.total, vcpus)}
    rows |= {r.name: (r, [v for v in vcpus if v.vm == r.name]) for r in result.by_vm}
    rows |= {r.name: (r, [v for v in vcpus if v.name == r.name]) for r in result.by_vcpu}
    for row, members in rows.values():
        row.vcpu_count = len(members)
        if steal is not None:
            row.steal_ns = int(sum(steal[v.index] for v in members))


def _chosen_vcpus(log: Log, vm: str | None, trace: Trace) -> BOOL:
    # One more entry than vCPUs: index -1 (unknown vCPU) is never counted when a VM is chosen.
    chosen = np.ones(len(log.vcpus) + 1, dtype=np.bool_)
    if vm is None:
        return chosen
    for vcpu in log.vcpus:
        chosen[vcpu.index] = vm == vcpu.vm or (vcpu.kvm != 0 and vm.lower() == f"{vcpu.kvm:#x}")
    chosen[-1] = False
    if not chosen.any():
        names = sorted({v.vm for v in log.vcpus if v.vm})
        raise TraceError(
            "LP0611",
            f"no VM {vm!r} in the recording",
            where=trace.path,
            available=", ".join(names) or "VMs cannot be told apart here",
            expected="vm0, vm1, .. or the address of its struct kvm",
        )
    return chosen


def _assemble(
    trace: Trace,
    log: Log,
    loads: Loads,
    outs: Outs,
    use: BOOL,
    use_out: BOOL,
    span: tuple[int, int],
) -> Accounting:
    tables = _Tables(log, loads, outs, use, use_out)
    everything = np.zeros(loads.vcpu.size, dtype=np.int64)
    everything_out = np.zeros(outs.vcpu.size, dtype=np.int64)
    total = tables.rows(["all"], everything, everything_out, tables.guest.sum(keepdims=True))[0]
    vms = sorted({v.vm for v in log.vcpus}, key=lambda name: (len(name), name))
    of_vm = np.array([vms.index(v.vm) for v in log.vcpus] + [0], dtype=np.int64)
    guest_vm = np.bincount(of_vm[:-1], weights=tables.guest, minlength=len(vms)).astype(np.int64)
    cpus = np.unique(log.cpu)
    index = {int(c): i for i, c in enumerate(cpus)}
    of_cpu = np.array([index[int(c)] for c in loads.cpu], dtype=np.int64)
    out_cpu = np.array([index[int(c)] for c in outs.cpu], dtype=np.int64)
    rows_vm = tables.rows(vms, of_vm[loads.vcpu], of_vm[outs.vcpu], guest_vm)
    rows_vcpu = tables.rows(
        [v.name for v in log.vcpus],
        loads.vcpu.astype(np.int64),
        outs.vcpu.astype(np.int64),
        tables.guest,
    )
    names = [f"cpu{int(c)}" for c in cpus]
    rows_cpu = tables.rows(names, of_cpu, out_cpu, np.full(len(names), -1))
    return Accounting(
        SCHEMA, trace.path, trace.kind, trace.uname, trace.clock, trace.has_ns_clock,
        span[0], span[1], sum(trace.events().values()), int(cpus.size), log.is_inferred,
        log.inferred, [str(m) for m in trace.missing], log.vcpus, total,
        [r for r in rows_vm if r.name], [r for r in rows_vcpu if sum(r.loads.values())],
        rows_cpu, tables.dists(), _instead(trace, log, outs, use_out),
        count_yields(log, outs, use_out), [], [], log.roles.absent(),
        events=dict(trace.events()),
    )  # fmt: skip


class _Tables:
    """Sums the chosen loads and outs over any grouping."""

    def __init__(self, log: Log, loads: Loads, outs: Outs, use: BOOL, use_out: BOOL) -> None:
        self.log, self.loads, self.outs, self.use, self.use_out = log, loads, outs, use, use_out
        has_put = loads.put_row >= 0
        end = np.where(has_put, log.time[np.maximum(loads.put_row, 0)], loads.time)
        self.loaded = end - loads.time
        self.has_put = has_put
        back = outs.end >= 0
        until = np.where(outs.wake >= 0, outs.wake, outs.end)
        self.runnable = (outs.reason <= 1) & back
        self.is_blocked = (outs.reason == 2) & back
        self.preempted = np.where(self.runnable, outs.end - outs.start, 0)
        self.blocked = np.where(self.is_blocked, until - outs.start, 0)
        self.woken = np.where(self.is_blocked & (outs.wake >= 0), outs.end - outs.wake, 0)
        self.guest = guest_time(log, len(log.vcpus))
        self.migrated = (loads.prev_cpu >= 0) & (loads.prev_cpu != loads.cpu)

    def rows(self, names: list[str], group: I64, group_out: I64, guest: I64) -> list[Row]:
        n = len(names)
        use, use_out = self.use & (group >= 0), self.use_out & (group_out >= 0)

        def total(of: I64, by: I64, keep: BOOL) -> I64:
            out = np.zeros(n, dtype=np.int64)
            np.add.at(out, by[keep], of[keep])
            return out

        ones = np.ones(group.size, dtype=np.int64)
        ones_out = np.ones(group_out.size, dtype=np.int64)
        causes = {
            c: total(ones, group, use & (self.loads.cause == k)) for k, c in enumerate(CAUSES)
        }
        reasons = {
            r: total(ones_out, group_out, use_out & (self.outs.reason == k))
            for k, r in enumerate(REASONS)
        }
        moved = total(ones, group, use & self.migrated)
        loaded = total(self.loaded, group, use)
        waits = [total(w, group_out, use_out) for w in (self.preempted, self.blocked, self.woken)]
        return [
            Row(
                name,
                {c: int(v[i]) for c, v in causes.items()},
                {r: int(v[i]) for r, v in reasons.items()},
                int(moved[i]),
                int(loaded[i]),
                int(guest[i]),
                int(waits[0][i]),
                int(waits[1][i]),
                int(waits[2][i]),
            )
            for i, name in enumerate(names)
        ]

    def dists(self) -> dict[str, Dist]:
        use, use_out = self.use, self.use_out
        woken = use_out & self.is_blocked & (self.outs.wake >= 0)
        return {
            "loaded": describe(self.loaded[use & self.has_put]),
            "out, runnable": describe(self.preempted[use_out & self.runnable]),
            "out, blocked": describe(self.blocked[use_out & self.is_blocked]),
            "wakeup to load": describe(self.woken[woken]),
        }


def _instead(trace: Trace, log: Log, outs: Outs, use: BOOL) -> list[Instead]:
    keep = use & (outs.reason <= 1) & (outs.next_pid >= 0)
    names = trace.task_names()
    tasks = {v.pid: v.name for v in log.vcpus}
    rows: dict[str, Instead] = {}
    for pid in np.unique(outs.next_pid[keep]).tolist():
        mine = keep & (outs.next_pid == pid)
        back = mine & (outs.end >= 0)
        is_vcpu = pid in tasks
        name = "another vCPU" if is_vcpu else ("idle" if pid == 0 else names.get(pid, f"pid {pid}"))
        row = rows.setdefault(name, Instead(name, 0, 0, is_vcpu))
        row.count += int(mine.sum())
        row.wait_ns += int((outs.end[back] - outs.start[back]).sum())
    return sorted(rows.values(), key=lambda r: (-r.count, r.name))


def _savings(
    result: Accounting, log: Log, loads: Loads, use: BOOL, costs: list[Cost], ghz: float | None
) -> list[Saving]:
    function = log.roles.functions.get(log.roles.parts.get("prep", ""), "")
    out: list[Saving] = []
    host = [s for s in result.skips if s.state == "host" and s.cause == "sched_in"]
    safe = [s for s in host if s.wrong == 0 and s.used >= 0 and s.rule == TAGGED]
    for cost in costs:
        if function in cost.functions and safe:
            rule = safe[0]
            every = int((use & (loads.put_row >= 0)).sum())
            low, high = rule.used * cost.low, rule.used * cost.high
            saving = Saving(cost.what, rule.rule, rule.used, every, low, high, cost.source)
            if ghz and result.has_ns_clock and result.span_ns > 0:
                cycles = ghz * result.span_ns * max(result.cpu_count, 1)
                saving.share_low, saving.share_high = low / cycles, high / cycles
            out.append(saving)
    return out


__all__ = ["Accounting", "Instead", "Row", "Saving", "account_trace"]

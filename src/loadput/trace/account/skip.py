"""What a design could skip: loads that find their own state still on the CPU, rule by rule.

Two kinds of state are kept apart. *Host state* is what the CPU holds for the task (on AMD the
area that VMSAVE fills before the first guest entry after a load): a task that ran in user mode may
have changed it, so it can be skipped at sched_in only, never at vcpu_load. *Guest state* is what
the CPU holds for the vCPU, whatever the cause of the load.

A rule is what a kernel could test cheaply. Whether it would have been *wrong* is decided by what
the recording shows: for host state, that the CPU's area was last written for another vCPU or
task, or before this vcpu_load; for guest state, that another vCPU was loaded here, or this one
elsewhere, since.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..decode import as_whole
from ..metadata import Missing
from ..table import Trace
from .loads import BY_SCHED_IN, BY_VCPU_LOAD, CAUSES, Loads, by_vcpu, last_where
from .log import ARCH_LOAD, ENTRY, I32, I64, LOAD, PREP, Log
from .stats import bootstrap_ratio

BOOL = NDArray[np.bool_]

OWN_AREA = "same CPU, own area"
# Right by construction: the tag (vCPU, number of its vcpu_load) is what "wrong" is decided by.
TAGGED = "area tagged with load generation"


@dataclass(frozen=True, slots=True)
class Skip:
    """One rule on one recording.

    ``loads`` is how many loads the rule was asked at, ``skips`` how many it would skip, ``wrong``
    how many of those it must not have (-1: the recording cannot tell), ``used`` how many skips
    were followed by the work that they save (-1: not known), ``unknown`` loads left out because
    of lost events. ``interval`` is the 95% bootstrap interval of skips / loads.
    """

    state: str
    cause: str
    rule: str
    loads: int
    skips: int
    wrong: int
    used: int = -1
    unknown: int = 0
    interval: tuple[float, float] | None = None


@dataclass(slots=True)
class Facts:
    """What is known at each load about the CPU it happens on."""

    same_cpu: BOOL
    last_loaded_is_me: BOOL
    last_saved_is_me: BOOL
    saved_since_load: BOOL
    tag_is_mine: BOOL
    same_task: BOOL
    in_run: BOOL
    prep_follows: BOOL
    doubtful: BOOL
    knows_prep: bool
    knows_gen: bool
    is_inferred: bool


def gather_facts(log: Log, loads: Loads, missing: list[Missing]) -> Facts:
    """Look up, for every load, who loaded and who saved last on its CPU."""
    kinds = set(np.unique(log.kind).tolist())
    save_kind = PREP if PREP in kinds else ENTRY
    order = np.argsort(log.cpu, kind="stable")
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    at = place[loads.row]
    kind, cpu = log.kind[order], log.cpu[order]
    loader = _before(kind == ARCH_LOAD, cpu, at)
    saver = last_where(kind == save_kind, cpu)[at] if at.size else at
    gen = _generations(log)[order]
    vcpu, pid = log.vcpu[order], log.pid[order]
    mine = (saver >= 0) & (vcpu[np.maximum(saver, 0)] == loads.vcpu)
    spot = np.maximum(saver, 0)
    tag = mine & (gen[spot] == loads.gen)
    since = np.minimum(
        np.where(loader >= 0, log.time[order][np.maximum(loader, 0)], loads.time),
        np.where(saver >= 0, log.time[order][spot], loads.time),
    )
    return Facts(
        loads.prev_cpu == loads.cpu,
        (loader >= 0) & (vcpu[np.maximum(loader, 0)] == loads.vcpu),
        mine,
        _saved_in_generation(log, loads, save_kind),
        tag,
        pid[spot] == log.pid[loads.row],
        loads.wants != 0,
        _is_followed(log, loads, save_kind),
        _doubtful(loads, since, missing),
        save_kind in kinds,
        LOAD in kinds,
        log.is_inferred,
    )


def _before(mask: BOOL, group: I32, at: I64) -> I64:
    # The last row strictly before each ``at`` where mask holds, in the same group; -1: none.
    prior = last_where(mask, group)
    found = np.where(at > 0, prior[np.maximum(at - 1, 0)], -1)
    return np.where((found >= 0) & (group[np.maximum(found, 0)] == group[at]), found, -1)


def _generations(log: Log) -> I64:
    # How many vcpu_load each row's vCPU had had by then.
    order = by_vcpu(log)
    vcpu = log.vcpu[order]
    count = np.cumsum(log.kind[order] == LOAD)
    first = np.searchsorted(vcpu, vcpu, "left")
    gen = np.empty(order.size, dtype=np.int64)
    gen[order] = count - np.where(first > 0, count[np.maximum(first - 1, 0)], 0)
    return gen


def _saved_in_generation(log: Log, loads: Loads, save_kind: int) -> BOOL:
    order = by_vcpu(log)
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    vcpu = log.vcpu[order]
    save = last_where(log.kind[order] == save_kind, vcpu)[place[loads.row]]
    load = last_where(log.kind[order] == LOAD, vcpu)[place[loads.row]]
    return save > load


def _is_followed(log: Log, loads: Loads, save_kind: int) -> BOOL:
    # Whether the vCPU prepares for the guest between this load and its put.
    order = by_vcpu(log)
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    saves = np.flatnonzero(log.kind[order] == save_kind)
    start = place[loads.row]
    end = np.where(loads.put_row >= 0, place[np.maximum(loads.put_row, 0)], start)
    return np.searchsorted(saves, start) < np.searchsorted(saves, end)


def _doubtful(loads: Loads, since: I64, missing: list[Missing]) -> BOOL:
    # Loads whose look-back passes over a place where events of that CPU were lost.
    out = np.zeros(loads.time.size, dtype=np.bool_)
    for item in missing:
        if item.kind == "lost" and item.time_ns >= 0:
            passed = (since <= item.time_ns) & (item.time_ns <= loads.time)
            out |= passed & ((loads.cpu == item.cpu) | (item.cpu < 0))
    return out


def count_skips(
    log: Log, loads: Loads, trace: Trace, use: BOOL, span: tuple[int, int]
) -> list[Skip]:
    """Apply every rule to the loads in ``use``; host rules first, then guest rules."""
    facts = gather_facts(log, loads, trace.missing)
    out: list[Skip] = []
    if facts.knows_prep:
        out += _host_rules(loads, facts, use, span)
    out += _guest_rules(loads, facts, use, span)
    own = _kernel_rule(log, loads, trace)
    if own is not None:
        wrong = own & ~(facts.same_cpu & facts.last_loaded_is_me)
        out.append(
            _row("guest", "any", "this kernel's own test", loads, facts, use, own, wrong, span)
        )
    return out


def _host_rules(loads: Loads, facts: Facts, use: BOOL, span: tuple[int, int]) -> list[Skip]:
    base = use & (loads.cause == BY_SCHED_IN)
    right = facts.tag_is_mine & facts.same_task
    wrong_if = ~right if facts.knows_gen else None
    same = facts.same_cpu & facts.in_run
    rules: list[tuple[str, BOOL, bool]] = [
        ("same CPU", same, False),
        ("same CPU, nobody loaded here since", same & facts.last_loaded_is_me, False),
        (OWN_AREA, same & facts.last_saved_is_me, False),
        (
            "... and saved since this vcpu_load",
            same & facts.last_saved_is_me & facts.saved_since_load,
            True,
        ),
        (TAGGED, right & facts.in_run, True),
    ]
    out = []
    for name, skip, needs_gen in rules:
        if needs_gen and not facts.knows_gen:
            continue
        wrong = skip & wrong_if if wrong_if is not None else None
        if facts.is_inferred and name != TAGGED:
            wrong = (
                None  # loads that never reach an entry are not seen, and they are the wrong ones
            )
        row = _row("host", "sched_in", name, loads, facts, base, skip, wrong, span)
        out.append(row)
    never = use & (loads.cause == BY_VCPU_LOAD)
    count = int(never.sum())
    out.append(Skip("host", "vcpu_load", "never: the task was in user mode", count, 0, 0))
    return out


def _guest_rules(loads: Loads, facts: Facts, use: BOOL, span: tuple[int, int]) -> list[Skip]:
    right = facts.same_cpu & facts.last_loaded_is_me
    rules = [
        ("same CPU", facts.same_cpu),
        ("nobody loaded here since", facts.last_loaded_is_me),
        ("both", right),
    ]
    if facts.knows_prep:
        rules.append(
            ("same CPU, nobody entered here since", facts.same_cpu & facts.last_saved_is_me)
        )
    out = []
    for cause in (BY_VCPU_LOAD, BY_SCHED_IN):
        base = use & (loads.cause == cause)
        if base.any():
            for name, skip in rules:
                wrong = skip & ~right
                out.append(
                    _row("guest", CAUSES[cause], name, loads, facts, base, skip, wrong, span)
                )
    return out


def _row(
    state: str,
    cause: str,
    rule: str,
    loads: Loads,
    facts: Facts,
    base: BOOL,
    skip: BOOL,
    wrong: BOOL | None,
    span: tuple[int, int],
) -> Skip:
    unknown = int((base & facts.doubtful).sum())
    base = base & ~facts.doubtful
    hit = base & skip
    return Skip(
        state,
        cause,
        rule,
        int(base.sum()),
        int(hit.sum()),
        -1 if wrong is None else int((hit & wrong).sum()),
        int((hit & facts.prep_follows).sum()) if facts.knows_prep else -1,
        unknown,
        bootstrap_ratio(hit[base], loads.time[base], span),
    )


def _kernel_rule(log: Log, loads: Loads, trace: Trace) -> BOOL | None:
    """The kernel's own test, where a probe recorded what it reads: the CPU of the last guest
    exit and the dirty mark (riscv: kvm_arch_vcpu_load of arch/riscv/kvm/vcpu.c)."""
    event = _event_with(log, trace, ("vcpu", "lastexit", "dirty"))
    if event is None:
        return None
    cols = trace.columns(event, ["vcpu", "lastexit", "dirty"])
    key = np.stack([cols["cpu"].astype(np.int64), cols["pid"].astype(np.int64)], axis=1)
    order = np.lexsort((cols["time_ns"], key[:, 1], key[:, 0]))
    from .loads import find_before

    rows_key = (key[:, 0] << 32 | key[:, 1])[order]
    want_key = loads.cpu.astype(np.int64) << 32 | log.pid[loads.row].astype(np.int64)
    at = find_before(rows_key, cols["time_ns"][order], want_key, loads.time + _PROBE_GAP_NS)
    good = at >= 0
    at = order[np.maximum(at, 0)]
    good &= np.abs(cols["time_ns"][at] - loads.time) <= _PROBE_GAP_NS
    facts_last = _former_is_me(log, loads)
    fits = as_whole(cols["lastexit"])[at] == loads.cpu
    fits &= as_whole(cols["dirty"])[at] == 0
    out: BOOL = good & fits & facts_last
    return out


# Two probes on one address fire one after the other; this far apart at most under emulation.
_PROBE_GAP_NS = 2_000_000


def _former_is_me(log: Log, loads: Loads) -> BOOL:
    order = np.argsort(log.cpu, kind="stable")
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    loader = _before(log.kind[order] == ARCH_LOAD, log.cpu[order], place[loads.row])
    out: BOOL = (loader >= 0) & (log.vcpu[order][np.maximum(loader, 0)] == loads.vcpu)
    return out


def _event_with(log: Log, trace: Trace, fields: tuple[str, ...]) -> str | None:
    for name, function in log.roles.functions.items():
        if function == "kvm_arch_vcpu_load" and set(fields) <= set(trace.fields(name)):
            return name
    return None

"""Hold a recording against the releases of the specification."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.errors import TraceError
from ..ir.calls import callees, reach
from ..link.overlay import get_overlay
from ..link.program import Choice, Program, link
from ..link.scenario import load_scenario
from ..trace.needs import find_roles
from ..trace.table import Trace
from .automaton import (
    ABSENT_FUNCTION,
    ASPECTS,
    COMPARED,
    DIVERGED,
    OPEN,
    UNPREDICTED,
    WIDENED,
    Automaton,
)
from .events import Events, read_events
from .report import describe
from .result import (
    CONFORMS,
    DIVERGES,
    EXIT,
    OF_FLAGS,
    UNDECIDED,
    WIDENED_RATIO,
    Conformance,
    Count,
    Fit,
    is_own,
)
from .walk import COMMON, Point
from .words import Words

# Newest first: of those that fit the recorded kernel's own is named, else the first.
RELEASES = ("v7.3", "v7.2", "v6.12", "v6.11-pre", "v6.1.192", "v6.1")
MACHINES = {"x86_64": "svm", "aarch64": "arm64", "riscv64": "riscv"}
# Of releases whose load may skip the restore of CSRs.
OF_SKIPS = ("csr_dirty", "restore")
JUDGED = ("order", "preempted", "ready", "scheduled_out", "wants_to_run", "cpu")
# So few races prove nothing, however short the recording.
FEW = 2
FORMER = "kvm_former_vcpu"
# What a function was called before, arch/riscv/kvm/mmu.c: the older release is asked by that.
RENAMED = {"kvm_riscv_mmu_update_hgatp": "kvm_riscv_gstage_update_hgatp"}
I32 = NDArray[np.int32]


@dataclass(slots=True)
class Tried:
    """One release after its run.

    :param outcome: per row, the number of the automaton's outcome
    :param bad: rows that diverge, where every CPU's buffer reaches
    :param context: per context flag (rows compared, rows that diverge)
    """

    release: str
    automaton: Automaton
    outcome: I32
    bad: NDArray[np.bool_]
    context: dict[str, tuple[int, int]]


@cache
def _link(arch: str, release: str, twin: str, design: str, search: tuple[Path, ...]) -> Program:
    choice = Choice(arch=arch, release=release, twin=twin, design=design, search=search)
    return link(choice, load_scenario("default"), asked=False)


def conform_trace(
    trace: Trace,
    *,
    release: str = "",
    arch: str = "",
    twin: str = "",
    design: str = "",
    search: tuple[Path, ...] = (),
) -> Conformance:
    """Run the specification along ``trace`` and compare every flag at every probe.

    :param release: one release of the specification; "" tries each of :data:`RELEASES`
    :param arch: svm, vmx, arm64 or riscv; "" goes by the recording
    :param twin: an overlay laid over the release, to see what a wrong specification looks like
    :raises TraceError: LP0622 nothing to compare; LP0620 a program without the four functions
    :raises LinkError: LP0401 no such release or architecture
    """
    arch = arch or find_arch(trace)
    written = [n for n in RELEASES if arch in (get_overlay("release", n).archs or (arch,))]
    names = [release] if release else written
    programs = {n: _link(arch, n, twin, design, search) for n in names}
    # What another release calls in the common path tells too: kvm_arch_sched_in() of v6.1.
    others = {n: _link(arch, n, "", "", search) for n in written}
    known = {f for p in (*programs.values(), *others.values()) for f in p.functions}
    linked = [*programs.values(), *others.values()]
    skips = any(FORMER in p.decls.globals for p in linked)
    events = read_events(trace, known, _reach(linked), skips=skips)
    demanded = _common_path(linked)
    if not events.event.size:
        raise TraceError("LP0622", "no probe event is about a vCPU", where=trace.path)
    text = Words(events.symbol)
    tried = [run_release(events, text, n, programs[n], demanded) for n in names]
    return _answer(trace, events, arch, tried)


def find_arch(trace: Trace) -> str:
    """The architecture by the functions that are probed, else by the machine of uname."""
    functions = set(find_roles(trace).functions.values())
    for arch, prefix in (("svm", "svm_"), ("vmx", "vmx_"), ("riscv", "kvm_riscv_")):
        if any(f.startswith(prefix) for f in functions):
            return arch
    for machine, arch in MACHINES.items():
        if machine in trace.uname.split():
            return arch
    if any("arm" in n or "vgic" in n for n in trace.events()):
        return "arm64"
    return "svm"


def _common_path(programs: list[Program]) -> set[str]:
    common = (p.functions[n] for p in programs for n in COMMON if n in p.functions)
    return set(COMMON).union(*map(callees, common))


def _reach(programs: list[Program]) -> set[str]:
    # What the common path calls, and what that calls.
    return set(COMMON).union(*(reach(p.functions, COMMON) for p in programs))


def name_in(program: Program, point: Point) -> Point:
    """``point`` under the name that its function has in ``program``'s release."""
    before = RENAMED.get(point[0], "")
    known = point[0] in program.functions or before not in program.functions
    return point if known else (before, point[1])


def run_release(
    events: Events, text: Words, release: str, program: Program, demanded: set[str]
) -> Tried:
    """Run one program along the rows; ``text`` are their symbols."""
    points = [name_in(program, p) for p in events.points]
    automaton = Automaton(program, points, demanded)
    outcome = np.empty(events.event.size, dtype=np.int32)
    ends = [*events.bounds[1:].tolist(), events.event.size]
    for start, end in zip(events.bounds.tolist(), ends, strict=True):
        words, last = text.split(start, end)
        found, row = automaton.run_words(words, text, automaton.start)
        out: list[int] = []
        automaton.run(last, out, row)
        outcome[start : start + found.size] = found
        outcome[start + found.size : end] = out
    bad = (_table(automaton) == DIVERGED).any(axis=1)[outcome]
    context = {}
    if events.has_context:
        want = np.array([(o.irqs_off, o.preempt_off) for o in automaton.outcomes], dtype=np.int8)
        have = {"irqs": events.irqs_off, "preempt": events.preempt != 0}
        for i, (name, got) in enumerate(have.items()):
            expected = want[:, i][outcome]
            compared = expected != UNPREDICTED
            wrong = compared & (expected != got)
            bad |= wrong
            context[name] = (int(compared.sum()), int(wrong.sum()))
    return Tried(release, automaton, outcome, bad & events.inside, context)


def _table(automaton: Automaton) -> NDArray[np.int8]:
    return np.array([o.codes for o in automaton.outcomes], dtype=np.int8)


def _fit(events: Events, t: Tried, lost: bool, hide: NDArray[np.bool_] | None = None) -> Fit:
    table = _table(t.automaton)
    size = table.shape[0]
    times = np.bincount(t.outcome, minlength=size)
    edge = np.bincount(t.outcome[~events.inside], minlength=size)
    counts = []
    for i, aspect in enumerate(ASPECTS):
        if aspect in OF_SKIPS and t.automaton.walker.former is None:
            continue
        by = {c: int(times[table[:, i] == c].sum()) for c in (COMPARED, WIDENED, OPEN, DIVERGED)}
        outside = int(edge[table[:, i] == DIVERGED].sum())
        count = Count(aspect, by[COMPARED], by[WIDENED], by[OPEN] + outside, by[DIVERGED] - outside)
        if not any(by.values()):
            count.note = "no probe carries it"
        elif outside:
            count.note = f"{outside} of them where not every CPU's buffer reaches"
        counts.append(count)
    counts += _context_counts(t, events)
    fit = Fit(t.release, CONFORMS, int(t.outcome.size), t.automaton.step_count, counts)
    fresh = t.bad if hide is None else t.bad & ~hide
    rows = np.flatnonzero(fresh if fresh.any() else t.bad)
    if rows.size:
        first = int(rows[np.argmin(events.time[rows])])
        fit.first = describe(events, t.automaton, first, int(t.outcome[first]))
    inner = int(events.inside.sum())
    fit.verdict = _verdict(fit, lost, inner, bool(edge[(table == DIVERGED).any(axis=1)].any()))
    return fit


def _context_counts(t: Tried, events: Events) -> list[Count]:
    if not events.has_context:
        return [Count(name, note=events.context_note) for name in ("irqs", "preempt")]
    return [Count(name, n - wrong, 0, 0, wrong) for name, (n, wrong) in t.context.items()]


def _verdict(fit: Fit, lost: bool, inner: int, has_edge: bool) -> str:
    """A divergence counts unless events were lost at an unknown place; too many races, or nothing
    that was compared, decide nothing."""
    if fit.diverging:
        return UNDECIDED if lost else DIVERGES
    flags = [c for c in fit.counts if c.aspect in JUDGED]
    wide = any(c.widened > max(FEW, WIDENED_RATIO * (c.compared + c.widened)) for c in flags)
    seen = any(c.compared for c in flags if c.aspect in OF_FLAGS)
    if wide or not seen or (has_edge and inner < fit.rows / 2):
        return UNDECIDED
    return CONFORMS


def _answer(trace: Trace, events: Events, arch: str, tried: list[Tried]) -> Conformance:
    lost = any(m.time_ns < 0 for m in trace.missing)
    fits = [_fit(events, t, lost) for t in tried]
    rank = {CONFORMS: 0, UNDECIDED: 1, DIVERGES: 2}
    # Of several that diverge the one that does so least; ties go to the kernel's own, then newest.
    best = min(
        range(len(fits)),
        key=lambda i: (
            rank[fits[i].verdict],
            fits[i].diverging,
            not is_own(trace.uname, fits[i].release),
        ),
    )
    hide = tried[best].bad
    told = {}
    for i, t in enumerate(tried):
        if i != best:
            if hide.any():
                fits[i] = _fit(events, t, lost, hide)
            told[t.release] = _telling(fits[i]) if (t.bad & ~hide).any() else ""
    ordered = [fits[best], *[f for i, f in enumerate(fits) if i != best]]
    result = Conformance(
        1, trace.path, trace.uname, arch, ordered[0].verdict, ordered[0].release, events.total,
        int(events.event.size), len(events.vcpus), ordered, told,
        [str(m) for m in trace.missing], list(events.notes),
    )  # fmt: skip
    result.exit_code = EXIT[result.verdict]
    return result


def _telling(fit: Fit) -> str:
    d = fit.first
    if d is None:
        return ""
    if d.expected == ABSENT_FUNCTION:
        return f"{d.aspect} at {d.event}: it has no {d.got}"
    return f"{d.aspect} at {d.event}: it allows {d.expected}, the kernel had {d.got}"

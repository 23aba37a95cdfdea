"""Results as plain text for a mail: at most 72 columns, the same bytes every time."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from ..check.races import Access
from ..check.story import Change, StoryStep
from ..check.verdict import (
    HOLDS,
    IN_ORDER,
    NOT_APPLICABLE,
    NOT_ASKED,
    NOTHING_FOUND,
    UNDECIDED,
    VIOLATED,
    PropertyResult,
    Result,
)
from ..machine.tso import SC, TSO, Buffers

WIDTH = 72
REST = "the scenario's CPUs, threads and devices; what the functions' Omits: lines name"
EDGE = f"sequentially consistent memory; {REST}"
EDGE_TSO = f"memory weaker than TSO, and what docs/memory.md names; {REST}"
UNDER_WEAK = {IN_ORDER: "ask sc", NOTHING_FOUND: NOTHING_FOUND}
"""What stands before the properties that weak memory leaves open, by why."""
EDGE_WEAK = f"what docs/memory.md says weak memory leaves out, and so no verdict holds; {REST}"


def edge_of(memory: str) -> str:
    """What a verdict under that memory does not cover."""
    return {SC: EDGE, TSO: EDGE_TSO}.get(memory, EDGE_WEAK)


def wrap(label: str, text: str) -> list[str]:
    """``text`` under a 14-column label, wrapped."""
    lines = textwrap.wrap(text, WIDTH - 14, break_long_words=False, break_on_hyphens=False) or [""]
    first = [label] if len(label) > 13 else []
    label = "" if first else label
    return first + [f"{label if i == 0 else '':14s}{ln}".rstrip() for i, ln in enumerate(lines)]


def number(n: int) -> str:
    """1234567 as 1,234,567."""
    return f"{n:,}"


# What the machine keeps for itself: shown only where every step is asked for.
INTERNAL = (
    "rq_curr",
    "rq_lock",
    "current_task",
    ".on_cpu",
    ".mutex",
    ".immediate_exit",
    ".in_user_mode",
    ".ple_",
)


def render_story(steps: Sequence[StoryStep], cpus: int, *, verbose: bool = False) -> list[str]:
    """The interleaving, a column per CPU; changes stand below the step that made them.

    Steps that change nothing worth telling are left out, so numbers skip; ``verbose`` tells all.
    """
    width = (WIDTH - 5) // cpus
    out = ["  #  " + "".join(f"{f'c{c}':{width}s}" for c in range(cpus)).rstrip()]
    shown: tuple[object, ...] = ()
    for k, step, told in iter_told(steps, verbose=verbose):
        place = (step.cpu, step.context)
        if (*place, step.function) != shown or step.violates:
            head = f"{step.context} {step.function}"
            out.append(f"{k:3d}  {' ' * (width * step.cpu)}{head}"[:WIDTH].rstrip())
        shown = (*place, step.function)
        pad = " " * min(8 + width * step.cpu, WIDTH - 36)
        for line in textwrap.wrap(", ".join(told), WIDTH - len(pad)) if told else []:
            out.append(pad + line)
        for f in step.findings:
            out.append(f"{' ' * (5 + width * step.cpu)}!! {f.property}"[:WIDTH])
            read = ", ".join(f"{name} = {value}" for name, value in f.read)
            out += [pad + line for line in textwrap.wrap(read, WIDTH - len(pad))]
            out.append(f"{pad}{step.source}"[:WIDTH])
    return out


def iter_told(
    steps: Sequence[StoryStep], *, verbose: bool = False
) -> Iterator[tuple[int, StoryStep, list[str]]]:
    """The steps worth telling, each with its number from 1 and its changes as text."""
    last: tuple[int, str] | None = None
    for k, step in enumerate(steps, 1):
        told = [_change(c) for c in step.changes if verbose or not _is_internal(c)]
        place = (step.cpu, step.context)
        if told or step.violates or verbose or last not in (None, place):
            yield k, step, told
            last = place


def _is_internal(c: Change) -> bool:
    return c.ghost or any(word in c.name for word in INTERNAL)


def _change(c: Change) -> str:
    return f"{c.name} {c.before}>{c.after}"


def explored(r: Result, seen: str) -> list[str]:
    """What was explored, what ended that, and whether anything was forgotten."""
    out = wrap("explored", seen + (f"; stopped by {r.stopped_by}" if r.stopped_by else ""))
    if r.remembers:
        out += wrap("", "a value that a @forget hook calls dead is read: none is forgotten")
    return out


def render_result(r: Result, *, command: str = "", verbose: bool = False) -> str:
    """The whole report of one check."""
    out = [*wrap("program", r.program), *wrap("scenario", f"{r.scenario.name}: {r.scenario.title}")]
    out += _memory(r)
    seen = f"{number(r.states)} states, {number(r.transitions)} transitions, depth {r.depth}"
    out += explored(r, seen)
    none = r.verdict == UNDECIDED and any(p.why == NOTHING_FOUND for p in r.properties)
    less = f": {NOTHING_FOUND}, which is less than holds" if none else ""
    out += wrap("verdict", (r.verdict.upper() if r.verdict != HOLDS else HOLDS) + less)
    out += _expected(r)
    out.append("")
    out += _verdicts(r)
    bad = violations(r)
    told = bad if verbose else [p for p in bad if p.path == bad[0].path]
    out += render_findings(r, told, verbose=verbose)
    if left := len(bad) - len(told):
        out += ["", f"{left} more counterexample{'s' if left > 1 else ''}: -v"]
    out += ["", *render_races(r, verbose=verbose), *edge(r)]
    if command:
        out += wrap("again", command)
    return "\n".join(out) + "\n"


def _verdicts(r: Result) -> list[str]:
    """The properties by verdict; those that weak memory leaves open by why."""
    out: list[str] = []
    for p in violations(r):
        tail = f", {p.blame}" if p.blame else ""
        out += wrap("violated", f"{p.name}  {p.depth} steps{tail}")
    groups: dict[str, list[str]] = {}
    for p in r.properties:
        label = UNDER_WEAK.get(p.why, p.verdict)
        groups.setdefault(label, []).append(p.name + (f" ({p.blame})" if p.blame else ""))
    for label in (UNDECIDED, *UNDER_WEAK.values(), HOLDS, NOT_ASKED, NOT_APPLICABLE):
        if names := ", ".join(groups.get(label, ())):
            out += wrap(label, f"{names}: {IN_ORDER}" if label == UNDER_WEAK[IN_ORDER] else names)
    return out


def _memory(r: Result) -> list[str]:
    """The memory model, where it is not the one that is meant."""
    b = r.machine.buffers if r.choice.memory != SC else None
    if b is None:
        return []
    if b.weak:
        return wrap("memory", _weak(b))
    if not b.slots:
        return wrap("memory", "tso; no store is late: nobody could tell")
    what = "place" if len(b.lines) == 1 else "places"
    most = f"{'up to' if not b.watched else 'watched for more than'} {b.slots} a CPU"
    return wrap("memory", f"tso: stores to {len(b.lines)} {what} may be late, {most}")


def _weak(b: Buffers) -> str:
    """How far it goes from sequentially consistent, and no further."""
    late = f"stores to {len(b.lines)} may be late, up to {b.slots} a CPU, and pass each other"
    early = f"loads of {len(b.old)} may find what was overwritten last"
    told = [late] * bool(b.slots) + [early] * bool(b.old)
    return f"weak, of places: {'; '.join(told)}" if told else "weak; nobody could tell"


def _expected(r: Result) -> list[str]:
    """Whether the scenario's file expects a verdict that is not *holds*, or another one."""
    e = r.expected
    if e is None or r.verdict == UNDECIDED or (r.is_expected and e.verdict == HOLDS):
        return []
    if r.is_expected:
        return wrap("expected", f"as it is: {e.why}")
    told = f"{e.verdict}: {', '.join(e.violates)}" if e.violates else e.verdict
    return wrap("expected", f"another one, by the scenario's file: {told}")


def render_not_begun(archs: Sequence[str], command: str) -> str:
    """Architectures that there was no time for."""
    out = wrap("verdict", f"NOT DECIDED on {', '.join(archs)}: the time was up")
    return "\n".join([*out, *wrap("again", command)]) + "\n"


def render_left_out(lacking: Mapping[str, str]) -> str:
    """The architectures that a scenario is not written for, by what they lack."""
    out: list[str] = []
    for why in dict.fromkeys(lacking.values()):
        names = ", ".join(a for a, w in lacking.items() if w == why)
        out += wrap("left out" if not out else "", f"{names}: {why}")
    return "\n".join(["", *out]) + "\n"


def violations(r: Result) -> list[PropertyResult]:
    """The violated properties, shortest counterexample first."""
    bad = [p for p in r.properties if p.verdict == VIOLATED]
    return sorted(bad, key=lambda p: (p.depth or 0, p.name))


def render_findings(
    r: Result, found: Sequence[PropertyResult], *, verbose: bool = False
) -> list[str]:
    """Each finding's sentence and schedule; those that one schedule shows stand together."""
    out: list[str] = []
    sentences = {q.name: q.sentence for q in r.built.program.properties}
    for i, p in enumerate(found):
        if not out or p.path != found[i - 1].path:
            same = [q for q in found[i:] if q.path == p.path]
            for q in same:
                out += ["", q.name]
                out += ["  " + line for line in textwrap.wrap(sentences[q.name], WIDTH - 2)]
            out += ["", *render_story(p.counterexample, r.scenario.cpus, verbose=verbose)]
    return out


def render_races(r: Result, *, verbose: bool = False) -> list[str]:
    """How many plain accesses race, and both sides of those that are new (all with -v)."""
    if not r.races:
        return []
    fresh = [x for x in r.races if x.blame.startswith("new")]
    has_base = any(x.blame for x in r.races)
    text = f"{len(r.races)} plain accesses race with another context's"
    text += f", {len(fresh)} of them new with this change" if has_base else ""
    out = wrap("races", text + ("" if verbose or fresh else "; -v lists them"))
    for x in r.races if verbose else fresh:
        out += wrap("", f"{x.variable}: {_side(x.a)} / {_side(x.b)}")
    return out


def _side(a: Access) -> str:
    return f"{a.function} {a.what} ({a.mark})"


def edge(r: Result) -> list[str]:
    """What the verdict does not cover and rests on."""
    out = wrap("not covered", edge_of(r.choice.memory))
    for name, value in r.absent:
        out += wrap("no kernel", f"of {r.choice.release} on {r.choice.arch} has {name} = {value}")
    if r.opaque_calls:
        calls = ", ".join(sorted(r.opaque_calls))
        out += wrap("opaque calls", f"{len(r.opaque_calls)}: {calls}")
    if r.inferred_fields:
        out += wrap("inferred", ", ".join(r.inferred_fields))
    return out

"""Why a context cannot go on, or cannot begin, in a state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..base.source import Span
from ..ir import ops as o
from ..machine.nodes import FRAMES
from ..run.interp import Action, State
from .reads import text_of
from .space import Frame, Space

LEFT_OUT = "the scenario leaves it out here"


@dataclass(frozen=True, slots=True)
class Blocked:
    """What is not possible: ``who`` cannot do ``what`` on ``cpu`` (-1: on none), and why.

    :param until: the condition that it waits for, "" where it is not one
    :param reads: what that condition reads, "name = value"
    :param never: the scenario leaves it out there: no state allows it
    """

    cpu: int
    who: str
    what: str
    why: str
    until: str = ""
    reads: tuple[str, ...] = ()
    span: Span | None = None
    never: bool = False


def blocked(space: Space, s: State) -> list[Blocked]:
    """Everything that a state does not allow, in the order CPU, then frame, handlers, tasks.

    What is not possible for one reason stands together: ``what`` names it with commas.
    """
    out: list[Blocked] = []
    for cpu in range(space.m.cpus):
        frames = space.frames(s, cpu)
        if not frames:
            continue
        out += _cannot_go_on(space, s, cpu, frames)
        out += _cannot_begin(space, s, cpu, frames[0])
    grouped: dict[tuple[object, ...], list[Blocked]] = {}
    for b in out:
        key = (b.cpu, b.who, b.why, "" if b.never else b.until, b.reads)
        grouped.setdefault(key, []).append(b)
    told = [
        replace(g[0], what=", ".join(b.what for b in g), until=g[0].until if len(g) == 1 else "")
        for g in grouped.values()
    ]
    return [*told, *_off_cpu(space, s)]


def _where(f: Frame) -> str:
    return f"{f.stack[-1]}()"


def _cannot_go_on(space: Space, s: State, cpu: int, frames: list[Frame]) -> Iterator[Blocked]:
    """The running context, where each of its ways ends at a wait; those below wait for it."""
    who = space.name(space.task_on(s, cpu))
    top = frames[0]
    ways = [m for m in space.moves(s) if m.action.cpu == cpu and not m.action.start]
    if not any(m.state is not None for m in ways):
        yield from _waits(space, s, cpu, top)
    for f in frames[1:]:
        over = {"irq": "the interrupt on its CPU", "sched": "the scheduler in its name"}[top.kind]
        yield Blocked(cpu, who, f.stack[-1], f"goes on when {over} is through", span=f.span)


def _waits(space: Space, s: State, cpu: int, top: Frame) -> Iterator[Blocked]:
    """The waits at which the ways of a context end, each once."""
    who = "irq" if top.kind == "irq" else space.name(space.task_on(s, cpu))
    for fn, text, reads, span in refusals(space, s, cpu, ""):
        until = text.removeprefix("assume(").removesuffix(")") if text else ""
        yield Blocked(cpu, who, top.stack[-1], f"waits in {fn}()", until, reads, span)


def refusals(
    space: Space, s: State, cpu: int, start: str
) -> list[tuple[str, str, tuple[str, ...], Span]]:
    """Where the ways of the running context of ``cpu`` (or of handler ``start``) end at a wait:
    function, text, what was read for it, place. Those that were not possible by what was chosen
    in them alone are left out, where another one is there.
    """
    interp = space.interp
    at = interp.runs(s, cpu)
    if at is None:
        return []
    task, kind, node = at
    if start:
        kind = next(k for k in FRAMES if any(n == start for n, _ in interp.starts[k]))
        node = next(e for n, e in interp.starts[kind] if n == start)
    ways: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    interp.refused = ways
    try:
        for _ in interp.steps(s) if start else interp.go_on(s, cpu):
            pass
    finally:
        interp.refused = None
    found: dict[tuple[str, Span], tuple[tuple[str, ...], bool]] = {}
    for choices, nodes in ways:
        if nodes[0] != node:
            continue
        a = Action(cpu, task, kind, start, choices)
        loc = space.locals_at(s, a, node)
        last = space.m.graph.nodes[nodes[-1]]
        assert isinstance(last.op, o.Assume)
        span = last.op.span
        reads = tuple(
            f"{r.name} = {r.value}"
            for n, r, _ in space.reader.along(list(s), loc, cpu, task + 1, nodes, choices)
            if r is not None and r.span.file == span.file and _covers(span, r.span)
        )
        found.setdefault((last.stack[-1], span), (tuple(dict.fromkeys(reads)), bool(reads)))
    real = {k: v for k, v in found.items() if v[1]} or found
    return [(fn, text_of(span), reads, span) for (fn, span), (reads, _) in real.items()]


def _covers(outer: Span, inner: Span) -> bool:
    return outer.line <= inner.line <= outer.line + 3


def _cannot_begin(space: Space, s: State, cpu: int, top: Frame) -> Iterator[Blocked]:
    """Interrupts and preemption that cannot come on ``cpu`` now."""
    starts = space.interp.starts
    moves = space.moves(s)
    begun = {m.action.start for m in moves if m.action.cpu == cpu and m.state is not None}
    for name, _ in starts["irq"]:
        if name in begun:
            continue
        if top.kind == "irq":
            why = "a handler runs on this CPU: interrupts are off"
        elif top.irqs_off:
            why = f"interrupts are off in {_where(top)}"
        else:
            yield from _no_cause(space, s, cpu, "irq", name)
            continue
        yield Blocked(cpu, "irq", name, why, span=top.span)
    for name, _ in starts["sched"]:
        if name in begun:
            continue
        who = space.name(space.task_on(s, cpu))
        if top.kind == "irq":
            why = "a handler runs on this CPU"
        elif top.kind == "sched":
            why = "the scheduler runs already"
        elif top.irqs_off:
            why = f"interrupts are off in {_where(top)}"
        elif top.depth:
            why = f"preemption is off in {_where(top)}: preempt_count {top.depth}"
        else:
            yield from _no_cause(space, s, cpu, who, name)
            continue
        yield Blocked(cpu, who, name, why, span=top.span)


def _no_cause(space: Space, s: State, cpu: int, who: str, name: str) -> Iterator[Blocked]:
    """A handler that might come, but for a condition of its own."""
    ways = refusals(space, s, cpu, name)
    for fn, text, reads, span in ways[:2]:
        needs = text.removeprefix("assume(").removesuffix(")")
        if not any(w[2] for w in ways):
            yield Blocked(cpu, who, name, LEFT_OUT, needs, (), span, True)
            return
        yield Blocked(cpu, who, name, f"{fn}() has no cause", needs, reads, span)


def _off_cpu(space: Space, s: State) -> Iterator[Blocked]:
    """Tasks that no CPU runs: they sleep, or wait for a CPU."""
    on = {space.task_on(s, c) for c in range(space.m.cpus)}
    for task in range(space.users):
        if task in on:
            continue
        f = space.frame(s, "sched", task) or space.frame(s, "main", task)
        if f is None:
            continue

        def is_set(field: str, task: int = task) -> bool:
            return bool(space.value(s, f"task_struct.{field}", task))

        allowed = space.value(s, "task_struct.cpus_mask", task, -1)
        cpus = ", ".join(f"c{c}" for c in range(space.m.cpus) if allowed >> c & 1)
        if is_set("on_cpu"):
            why = "is picked, and the switch to it is not over"
        elif not is_set("on_rq"):
            why = "sleeps: it is on no queue until somebody wakes it"
        elif is_set("sched_delayed"):
            why = "sleeps, though its queue has it still: it must be woken"
        else:
            why = f"waits for a CPU: __schedule() on {cpus} may pick it"
        reads = (f"on_rq = {int(is_set('on_rq'))}", f"on_cpu = {int(is_set('on_cpu'))}")
        yield Blocked(-1, space.name(task), f.stack[-1], why, "", reads, f.span)

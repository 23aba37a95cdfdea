"""Sizes and times of an exploration, and what never happened in it."""

from __future__ import annotations

from collections.abc import Sequence

from ..check.idle import watchers
from ..check.verdict import Result
from ..ir import ops as o
from ..run.exploration import Exploration
from .text import number, wrap

BINS, BAR = 12, 40


def render_stats(r: Result) -> str:
    """What ``--stats`` prints: the model's size, the search, what no run ever did."""
    m, ex = r.machine, r.exploration
    points = sum(len(c) for c in m.fused.control.values())
    memory = sum(isinstance(n.op, o.Load | o.Store | o.Fresh) for n in m.graph.nodes)
    rate = ex.states / ex.search_s if ex.search_s else 0.0
    out = ["", *wrap("engine", f"{ex.engine}, {ex.threads} threads")]
    out += wrap(
        "model", f"{len(m.graph.nodes)} operations, {memory} accesses to memory, {points} points"
    )
    out += wrap("state", f"{m.bits} bits, {ex.bytes_per_state:.0f} bytes a state with its parent")
    out += [line for said in reductions(ex) for line in wrap("reduced", said)]
    out += wrap(
        "time", f"compile {ex.compile_s:.2f} s, search {ex.search_s:.2f} s, {rate:,.0f} states/s"
    )
    out += ["", *depths(ex.levels), ""]
    rows = sorted(ex.fired.items(), key=lambda row: (-row[1], row[0]))
    out += wrap("fired", ", ".join(f"{k} {number(v)}" for k, v in rows if v))
    idle = [k for k, v in rows if not v]
    out += wrap("never fired", ", ".join(idle) or "nothing: every action has fired")
    never = never_taken(r)
    out += wrap(
        "never taken",
        f"{len(never)} branches: " + ", ".join(never) if never else "no branch: both sides of each",
    )
    return "\n".join(out) + "\n"


def depths(levels: Sequence[int]) -> list[str]:
    """How many states there are at which depth, in at most ``BINS`` rows."""
    step = -(-len(levels) // BINS)
    rows = [(k, levels[k : k + step]) for k in range(0, len(levels), step)]
    most = max(sum(row) for _, row in rows)
    out = [f"depths        {len(levels)}; states at each"]
    for k, row in rows:
        span = f"{k}" if len(row) == 1 else f"{k} to {k + len(row) - 1}"
        bar = "#" * -(-BAR * sum(row) // most)
        out.append(f"{span:>13s} {number(sum(row)):>13s} {bar}")
    return out


def reductions(ex: Exploration) -> list[str]:
    """Which reductions were in, and what each did; why one that was wanted was not."""
    r = ex.reduction
    if r is None:
        return ["no reduction was asked for"]
    out = []
    if r.orbit > 1:
        out.append(f"by symmetry: up to {r.orbit} states count as one")
    if r.points:
        out.append(
            f"by partial order: from {number(r.ample)} of {number(ex.states)} states, one CPU "
            f"alone went on ({r.points} points)"
        )
    return out + [f"not by {why}" for why in r.refused]


def never_taken(r: Result) -> list[str]:
    """Branches of the program of which one side was never taken, as ``function:line side``.

    Those of properties and monitors are left out: that one side is never taken is what they check.
    """
    m, nodes = r.machine, r.exploration.nodes
    ours = watchers(m.program)
    seen: dict[tuple[str, int], set[bool]] = {}
    for n in m.graph.nodes:
        if isinstance(n.op, o.Branch) and n.id in nodes and n.next and not ours & set(n.stack):
            row = seen.setdefault((n.stack[-1], n.op.span.line), set())
            for k, i in enumerate(n.next):
                if i in nodes:
                    row.add(k == 0)
    return [
        f"{fn}:{line} {'false' if sides == {True} else 'true'}"
        for (fn, line), sides in sorted(seen.items())
        if len(sides) == 1
    ]

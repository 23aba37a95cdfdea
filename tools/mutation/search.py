"""Which properties each of several mutants violates: one compilation, a search for each."""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from loadput.base.source import NOWHERE
from loadput.ir import ops as o
from loadput.machine.model import Machine
from loadput.run.exploration import Limits
from loadput.run.native.build import compile_machine
from loadput.run.native.search import Run
from loadput.run.reduce import Reduce, make_plan

from .joint import WHO, choose

MEMORY = 1 << 30


@dataclass(frozen=True, slots=True)
class Found:
    """Of one mutant: the violated properties with the length of a path to each.

    :param whole: every state was seen
    :param memory: a digest of the values that its variables go through, together
    :param taken: functions that some step runs, and the sides of their branches that one takes:
        (function, "file:line true")
    """

    violated: dict[str, int]
    whole: bool
    states: int
    memory: int = 0
    taken: frozenset[tuple[str, str]] = frozenset()


def search(
    m: Machine, numbers: Sequence[int], *, reduce: Reduce, most: int, first: bool
) -> Iterator[tuple[int, Found]]:
    """Search ``m`` as each of the mutants ``numbers``.

    :param most: states after which a search ends
    :param first: end at the first depth with a violation
    """
    choose(m, 0)
    plan = make_plan(m, reduce)
    native = compile_machine(m, shared=False, plan=plan)
    native.improved = True  # not worth its time
    limits = Limits(threads=1, max_states=most, max_memory_bytes=MEMORY, stop_at_first=first)
    for k in numbers:
        choose(m, k)
        run = Run(native, 1, limits, None)
        try:
            run.search()
            best = {p: key[0] for p, key in run.violations.best.items()}
            states = sum(t.found for t in run.threads)
            whole = not run.stopped
            memory = 0 if best or not whole or reduce != Reduce() else _memory(run)
            nodes = run.exploration().nodes if whole else ()
            yield k, Found(best, whole, states, memory, _taken(m, nodes))
        finally:
            run.close()


def _taken(m: Machine, passed: Collection[int]) -> frozenset[tuple[str, str]]:
    """As ``check --stats`` tells it, but for which side of a branch was not taken."""
    out = set()
    for i in passed:
        n = m.graph.nodes[i]
        out.add((n.stack[-1], ""))
        if isinstance(n.op, o.Branch) and n.op.span != NOWHERE:
            at = f"{n.op.span.file}:{n.op.span.line}"
            ways = (w for w, j in zip(("true", "false"), n.next, strict=True) if j in passed)
            out |= {(n.stack[-1], f"{at} {w}") for w in ways}
    return frozenset(out)


def _memory(run: Run) -> int:
    """A digest of the set of values of all variables together, in the states that were found."""
    layout, n = run.native.layout, sum(t.found for t in run.threads)
    raw = (ctypes.c_uint64 * (n * layout.words)).from_address(run.memory.states.at)
    words = np.frombuffer(raw, dtype=np.uint64).reshape(n, layout.words)
    mask = np.zeros(layout.words, dtype=np.uint64)
    for name, v in layout.vars.items():
        if name != WHO:
            for c in v.lane.chunks:
                bits = (1 << c.count * v.lane.width) - 1
                mask[c.word] |= np.uint64(bits << c.bit)
    rows = np.unique(words & mask, axis=0)
    return hash(rows.tobytes())

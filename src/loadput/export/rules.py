"""Every step of a machine as a guarded rule, in the order in which the interpreter tries them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..base.errors import LoadputError
from ..machine.model import Machine
from ..machine.nodes import BEGINS, FRAMES, Node
from .cells import Cells
from .expr import E, Exprs, Range
from .steps import Steps
from .tree import Cond, TooManyWays, Tree, Trees

MOST = 100_000
"""Nodes of one step, each as often as it is written: a model has trees, where ours is a graph."""


DEEP = 20_000


@contextmanager
def nested_deep() -> Iterator[None]:
    """Decisions are nested as deep as a step has them: Python's own limit is for other programs."""
    was = sys.getrecursionlimit()
    sys.setrecursionlimit(max(was, DEEP))
    try:
        yield
    finally:
        sys.setrecursionlimit(was)


@dataclass(frozen=True, slots=True)
class Rule:
    """One step with its free choices made: where ``guard`` is true, ``body`` is what it does.

    :param at: the frame must be here: (kind, pc), or (kind, 0) for a frame that begins
    :param body: decisions and ends only; where ``guard`` holds, it reaches an end
    """

    title: str
    where: str
    at: tuple[str, int]
    guard: E
    body: Tree


@dataclass(frozen=True, slots=True)
class Violation:
    """Where ``guard`` is true, a step of the frame ``at`` violates ``prop``; or the state does."""

    title: str
    where: str
    at: tuple[str, int]
    guard: E
    prop: str


class Rules:
    """The rules of a machine, what violates its properties, and what they need to be read."""

    def __init__(self, m: Machine, *, checks: bool = False) -> None:
        self.m, self.x, self.checks = m, Exprs(), checks
        self.cells, self.trees = Cells(m, self.x), Trees(self.x)
        self.steps = Steps(m, self.cells, self.trees)
        self.me = self.steps.me
        self.irqs_on, self.preemption_on = self._on()
        self.rules: list[Rule] = []
        self.violations: list[Violation] = []
        self._all()

    def at(self, kind: str, pc: int) -> list[E]:
        """The conditions under which frame ``kind`` moves from ``pc``, or begins (``pc`` 0)."""
        if kind not in self.m.pc_at:
            return []
        x, read = self.x, self.cells.read
        irq = read("irq.pc", self.steps.cpu)
        sched, main = read("sched.pc", self.me), read("main.pc", self.me)
        no_irq, no_sched = x.bin("eq", irq, x.zero), x.bin("eq", sched, x.zero)
        if pc:
            own = {"irq": irq, "sched": sched, "main": main}[kind]
            above = {"irq": [], "sched": [no_irq], "main": [no_sched, no_irq]}[kind]
            out = [x.bin("eq", own, x.const(pc)), *above]
        elif kind == "irq":
            out = [no_irq, x.named("irqs_on", (0, 1))]
        else:
            out = [no_irq, no_sched, x.named("preemption_on", (0, 1))]
        return [e for e in out if e is not x.one]

    def _on(self) -> tuple[E, E]:
        """Whether interrupts are on where the CPU's task is; whether it can be preempted there."""
        nodes = {k: [self.m.graph.nodes[i] for i in self.m.fused.control[k]] for k in FRAMES}
        on = {k: [pc for pc, n in enumerate(nodes[k], 1) if not n.irqs_off] for k in nodes}
        free = [pc for pc in on["main"] if nodes["main"][pc - 1].depth == 0]
        busy = self.x.bin("ne", self.cells.read("sched.pc", self.me), self.x.zero)
        irqs = self.x.ite(busy, self._among("sched", on["sched"]), self._among("main", on["main"]))
        return irqs, self._among("main", free)

    def _among(self, kind: str, pcs: list[int]) -> E:
        x, pc = self.x, self.cells.read(f"{kind}.pc", self.me)
        parts = []
        for lo, hi in ranges(pcs):
            low, high = x.bin("le", x.const(lo), pc), x.bin("le", pc, x.const(hi))
            parts.append(x.bin("eq", pc, x.const(lo)) if lo == hi else x.all(low, high))
        return x.any(*parts)

    def place(self, n: Node) -> str:
        """``function (file:line)`` of a node."""
        span = n.op.span
        return f"{n.stack[-1]} ({span.file.removeprefix('spec/')}:{span.line})"

    def _all(self) -> None:
        m = self.m
        for kind in BEGINS:
            begins = {m.graph.entries[(kind, s)]: s for s in m.graph.starts[kind]}
            for pc, node in enumerate(m.fused.control[kind] if kind in FRAMES else (), 1):
                self._step(kind, pc, node, "")
            for node, name in begins.items():
                self._step(kind, 0, node, name)
        for (kind, name), node in m.graph.entries.items():
            if kind == "always":
                self._judge((kind, 0), name, node, {}, starts=True)

    def _step(self, kind: str, pc: int, node: int, start: str) -> None:
        whole = self._tree(kind, node, starts=bool(start))
        where = self.place(self.m.graph.nodes[node])
        facts = {}
        for name, r in [] if start else self.m.regs[node]:
            read = self.cells.read(f"{kind}.r{r}", self.steps.inst)
            sets = [v for (_, n), v in self.m.values.locals.items() if n == name and v]
            facts[read] = min(0, 0, *map(min, sets)), max(0, 0, *map(max, sets))
        label = start or f"{kind} {pc}"
        for row, whys in sorted(self.trees.choices(whole).items()):
            tree = self._way(whole, row, facts, node)
            guard = self.trees.formula(tree)
            if guard is self.x.zero:
                continue
            title = label + "".join(f" {v}" for v in row)
            why = ", ".join(f"{w} = {v}" for w, v in zip(whys, row, strict=True))
            at = where + (f"; {why}" if why else "")
            body = without_stops(self.trees, tree)
            self.rules.append(Rule(title, at, (kind, pc), guard, body))
        self._judge((kind, pc), label, node, facts, starts=bool(start))

    def _way(self, whole: Tree, row: tuple[int, ...], facts: dict[E, Range], node: int) -> Tree:
        """``whole`` with its choices made; LoadputError LP0804 where it is too large to write."""
        self.trees.left = MOST
        try:
            return self.trees.simplify(self.trees.take(whole, row), facts)
        except TooManyWays:
            raise self._too_many(node) from None

    def _tree(self, kind: str, node: int, *, starts: bool, prop: str = "") -> Tree:
        """The step from ``node``; LoadputError LP0804 where nothing bounds a loop in it."""
        try:
            return self.steps.tree(kind, node, starts=starts, prop=prop)
        except RecursionError:
            raise self._too_many(node) from None

    def _too_many(self, node: int) -> LoadputError:
        n = self.m.graph.nodes[node]
        return LoadputError(
            "LP0804",
            f"cannot export a step with more than {MOST:,} decisions and ends",
            span=n.op.span,
            where=f"function {n.stack[-1]}",
            next="a smaller scenario, or fewer ways through what is done at once from here",
        )

    def _judge(
        self, at: tuple[str, int], label: str, node: int, facts: dict[E, Range], *, starts: bool
    ) -> None:
        """Note what a step from ``node`` violates, whatever its choices."""
        where = self.place(self.m.graph.nodes[node])
        self.steps.kind = at[0]
        for prop in sorted(self.steps.sees(node, False)[0]) if self.checks else ():
            whole = self._tree(at[0], node, starts=starts, prop=prop)
            rows = self.trees.choices(whole)
            ways = (self._way(whole, r, facts, node) for r in rows)
            guard = self.x.any(*(self.trees.formula(t, bad=True) for t in ways))
            if guard is not self.x.zero:
                self.violations.append(Violation(f"{prop}: {label}", where, at, guard, prop))


def without_stops(trees: Trees, t: Tree) -> Tree:
    """``t`` where it is known to reach an end."""
    if not isinstance(t, Cond):
        return t
    yes, no = without_stops(trees, t.yes), without_stops(trees, t.no)
    if yes is trees.stop:
        return no
    return yes if no is trees.stop else trees.cond(t.cond, yes, no)


def ranges(values: list[int]) -> list[tuple[int, int]]:
    """Ascending numbers as (first, last) pairs."""
    out: list[tuple[int, int]] = []
    for v in values:
        if out and out[-1][1] == v - 1:
            out[-1] = (out[-1][0], v)
        else:
            out.append((v, v))
    return out

"""Every step of a machine as a guarded rule, in the order in which the interpreter tries them."""

from __future__ import annotations

from dataclasses import dataclass

from ..machine.model import Machine
from ..machine.nodes import FRAMES, Node
from .cells import Cells
from .expr import E, Exprs, Range
from .steps import Steps
from .tree import Cond, Tree, Trees


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
        self.rules: list[Rule] = []
        self.violations: list[Violation] = []
        self._all()

    def pcs(self, kind: str, *, preemptible: bool = False) -> list[int]:
        """The pcs of ``kind`` at which interrupts are on (and preemption)."""
        nodes = [self.m.graph.nodes[i] for i in self.m.fused.control[kind]]
        return [
            pc
            for pc, n in enumerate(nodes, 1)
            if not n.irqs_off and (not preemptible or n.depth == 0)
        ]

    def place(self, n: Node) -> str:
        """``function (file:line)`` of a node."""
        span = n.op.span
        return f"{n.stack[-1]} ({span.file.removeprefix('spec/')}:{span.line})"

    def _all(self) -> None:
        m = self.m
        for kind in FRAMES:
            begins = {m.graph.entries[(kind, s)]: s for s in m.graph.starts[kind]}
            for pc, node in enumerate(m.fused.control[kind], 1):
                self._step(kind, pc, node, "")
            for node, name in begins.items():
                self._step(kind, 0, node, name)
        for (kind, name), node in m.graph.entries.items():
            if kind == "always":
                self._judge((kind, 0), name, node, {}, starts=True)

    def _step(self, kind: str, pc: int, node: int, start: str) -> None:
        whole = self.steps.tree(kind, node, starts=bool(start))
        where = self.place(self.m.graph.nodes[node])
        facts = {}
        for name, r in [] if start else self.m.regs[node]:
            read = self.cells.read(f"{kind}.r{r}", self.steps.inst)
            sets = [v for (_, n), v in self.m.values.locals.items() if n == name]
            facts[read] = min(0, *map(min, sets)), max(0, *map(max, sets))
        label = start or f"{kind} {pc}"
        for row, whys in sorted(self.trees.choices(whole).items()):
            tree = self.trees.simplify(self.trees.take(whole, row), facts)
            guard = self.trees.formula(tree)
            if guard is self.x.zero:
                continue
            title = label + "".join(f" {v}" for v in row)
            why = ", ".join(f"{w} = {v}" for w, v in zip(whys, row, strict=True))
            at = where + (f"; {why}" if why else "")
            body = without_stops(self.trees, tree)
            self.rules.append(Rule(title, at, (kind, pc), guard, body))
        self._judge((kind, pc), label, node, facts, starts=bool(start))

    def _judge(
        self, at: tuple[str, int], label: str, node: int, facts: dict[E, Range], *, starts: bool
    ) -> None:
        """Note what a step from ``node`` violates, whatever its choices."""
        where = self.place(self.m.graph.nodes[node])
        self.steps.kind = at[0]
        for prop in sorted(self.steps.sees(node, False)[0]) if self.checks else ():
            whole = self.steps.tree(at[0], node, starts=starts, prop=prop)
            rows = self.trees.choices(whole)
            ways = (self.trees.simplify(self.trees.take(whole, r), facts) for r in rows)
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

"""What a task's own notifiers touch where it is preempted: they come between its own steps.

Preemption runs the scheduler in the task's name, its notifiers' put and load with it. What those do
depends on what the task has said before, above all on whether a notifier is registered. Such values
are followed along the task's own code, where nobody else writes them; what the scheduler then
reaches is worked out for each combination of them that occurs.
"""

from __future__ import annotations

from ..ir import ops as o
from ..ir import types as ty
from .nodes import Node
from .values import Analysis, Values

Cell = tuple[str, int]
Known = tuple[frozenset[int], ...]


class Between:
    """Per task and node with preemption on: the cells that its own preemption reads and writes.

    :param kept: whether the effect of an access is needed at all
    """

    def __init__(self, a: Analysis, kept: set[int]) -> None:
        self.a, self.g, self.v, self.kept = a, a.g, a.v, kept
        self.starts = [self.g.entries[("sched", s)] for s in self.g.starts["sched"]]
        self.memo: dict[tuple[int, Known], tuple[set[Cell], set[Cell]]] = {}
        self.flow: dict[int, dict[int, Known]] = {}
        self.cells: dict[int, list[Cell]] = {}

    def touched(self, ci: int, n: Node) -> tuple[set[Cell], set[Cell]]:
        """What context ``ci`` reads and writes where it is preempted right before or after."""
        if not self.starts:
            return set(), set()
        if ci not in self.flow:
            self.cells[ci] = self._own(ci)
            self.flow[ci] = self._follow(ci)
        if n.id not in self.flow[ci]:
            return set(), set()
        known = self.flow[ci][n.id]
        key = (ci, known)
        if key not in self.memo:
            self.memo[key] = self._reach(ci, known)
        return self.memo[key]

    def is_silent(self, ci: int, n: Node) -> bool:
        """Whether a store of the task's own code gives a cell the one value that it has there."""
        if not isinstance(n.op, o.Store) or not isinstance(n.op.expr, o.Const):
            return False
        spots = self.v.access[n.id][ci]
        at = {c: i for i, c in enumerate(self.cells.get(ci, ()))}
        known = self.flow.get(ci, {}).get(n.id)
        same = {n.op.expr.value}
        return known is not None and all(
            (n.op.place.var, e) in at and known[at[(n.op.place.var, e)]] == same for e in spots
        )

    def _own(self, ci: int) -> list[Cell]:
        """What the scheduler reads to decide where to go, and only the task itself writes."""
        branch = {
            x.name
            for n in self.g.nodes
            if n.kind == "sched" and isinstance(n.op, o.Branch)
            for x in o.walk(n.op.cond)
            if isinstance(x, o.Local)
        }
        read: set[Cell] = set()
        lost: set[Cell] = set()
        for nid, per in self.v.access.items():
            n = self.g.nodes[nid]
            op = n.op
            assert isinstance(op, o.Load | o.Store | o.Fresh)
            mine = {(op.place.var, e) for e in per.get(ci, ())}
            if isinstance(op, o.Load):
                read |= mine if n.kind == "sched" and op.dst in branch else set()
                continue
            others = {(op.place.var, e) for c, es in per.items() if c != ci for e in es}
            lost |= others | (mine if n.kind != "main" else set())
        return sorted(c for c in read - lost if not isinstance(self.v.vars[c[0]].type, ty.Token))

    def _follow(self, ci: int) -> dict[int, Known]:
        """Per node of the task's own code, what its cells may have before it."""
        cells = self.cells[ci]
        at = {c: i for i, c in enumerate(cells)}
        first = tuple(frozenset({self.v.vars[var].init[e]}) for var, e in cells)
        start = self.a.entries(self.v.contexts[ci])[0]
        out: dict[int, Known] = {start: first}
        todo = [start]
        while todo:
            i = todo.pop()
            n = self.g.nodes[i]
            after = self._after(ci, n, out[i], at)
            for m in n.next:
                if m not in self.v.reached[ci]:
                    continue
                have = out.get(m, after)
                new = tuple(a | b for a, b in zip(have, after, strict=True))
                if m not in out or new != have:
                    out[m] = new
                    todo.append(m)
        return out

    def _after(self, ci: int, n: Node, known: Known, at: dict[Cell, int]) -> Known:
        op = n.op
        if not isinstance(op, o.Store):
            return known
        spots = self.v.access.get(n.id, {}).get(ci, set())
        hit = [at[(op.place.var, e)] for e in spots if (op.place.var, e) in at]
        if not hit:
            return known
        new = frozenset(self.a.values_in(ci, op.expr))
        out = list(known)
        for i in hit:
            out[i] = new if len(spots) == 1 else out[i] | new
        return tuple(out)

    def _reach(self, ci: int, known: Known) -> tuple[set[Cell], set[Cell]]:
        cells = dict(self.v.cells)
        for (var, e), vals in zip(self.cells[ci], known, strict=True):
            cells[var] = [set(vals) if i == e else c for i, c in enumerate(cells[var])]
        v = self.a.begin_at(ci, self.starts, cells)
        reads: set[Cell] = set()
        writes: set[Cell] = set()
        for nid, per in v.access.items():
            op = self.g.nodes[nid].op
            assert isinstance(op, o.Load | o.Store | o.Fresh)
            if nid not in self.kept:
                continue
            spots = {(op.place.var, e) for e in per[ci]}
            if isinstance(op, o.Load):
                reads |= spots
                continue
            writes |= spots
            if isinstance(op, o.Fresh):
                writes |= aged_by(op, self.v)
        return reads, writes


def aged_by(op: o.Fresh, v: Values) -> set[Cell]:
    """Every copy that may become stale: an owner's write marks them all, wherever they are."""
    kind = v.vars[op.place.var].type.kind  # type: ignore[union-attr]
    return {
        (name, e)
        for name, var in v.vars.items()
        if getattr(var.type, "kind", None) == kind
        for e in range(var.count * var.length)
    }

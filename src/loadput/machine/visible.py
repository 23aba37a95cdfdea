"""Which operations another context of the program and scenario can see."""

from __future__ import annotations

from ..ir import ops as o
from .between import Between, Cell, aged_by
from .forget import is_shadow
from .nodes import DRAIN, Cut, End, Graph, Node, Push, Restrict
from .values import Analysis, is_kept


class Visibility:
    """Which accesses some other frame could tell apart if they happened a little earlier or later.

    Others are what may come between a frame's own steps: everything on other CPUs, interrupts of
    its own while they are on, and, where preemption is on, the scheduler in the task's own name.
    """

    def __init__(self, g: Graph, a: Analysis, fuse: bool) -> None:
        self.g, self.a, self.v, self.fuse = g, a, a.v, fuse
        self.readers: dict[Cell, set[int]] = {}
        self.writers: dict[Cell, set[int]] = {}
        # The same, by accesses that may be to another CPU's data, or another task's.
        self.far_readers: dict[Cell, set[int]] = {}
        self.far_writers: dict[Cell, set[int]] = {}
        self.here = {n.id for n in g.nodes if is_access(n.op) and self._is_here(n)}
        # What is forgotten is nobody's, or else that is found: see forget.py.
        self.kept = {
            nid
            for nid in self.v.access
            if self._kept(g.nodes[nid]) and not g.forgets & set(g.nodes[nid].stack)
        }
        self.writes = {i for i in self.kept if not isinstance(g.nodes[i].op, o.Load)}
        for nid in self.kept:
            self._note(nid)
        self.between = Between(a, self.kept)
        self.many = {i for i, c in enumerate(self.v.contexts) if len(a.cpus_of(c)) > 1}

    def _note(self, nid: int) -> None:
        n = self.g.nodes[nid]
        op = n.op
        assert isinstance(op, o.Load | o.Store | o.Fresh)
        reads = isinstance(op, o.Load)
        for ci, elems in self.v.access[nid].items():
            cells = {(op.place.var, e) for e in elems}
            aged = aged_by(op, self.v) if isinstance(op, o.Fresh) else set()
            for c in cells | aged:
                (self.readers if reads else self.writers).setdefault(c, set()).add(ci)
                if nid not in self.here or c in aged:
                    far = self.far_readers if reads else self.far_writers
                    far.setdefault(c, set()).add(ci)

    def _kept(self, n: Node) -> bool:
        op = n.op
        assert isinstance(op, o.Load | o.Store | o.Fresh)
        cells = self.v.cells[op.place.var]
        if is_shadow(op.place.var) or all(len(c) == 1 for c in cells):
            return False
        if isinstance(op, o.Load):
            return op.dst in self.v.needed_locals
        return op.place.var in self.v.needed_vars

    def _is_here(self, n: Node) -> bool:
        """Whether the access is to data of the CPU that it runs on, or of the task that is current:
        what others reach by their own CPU or task is never that.
        """
        op = n.op
        assert isinstance(op, o.Load | o.Store | o.Fresh)
        var, index = self.v.vars[op.place.var], op.place.index
        if var.domain == "task":
            return index == o.Leaf("current")
        if var.domain != "cpu":
            return False
        here: o.Expr = o.Leaf("this_cpu")
        return index == (o.Bin("add", here, o.Const(1)) if var.by == "ptr" else here)

    def visible(self, n: Node) -> bool:
        """Whether some other frame can tell when this operation happens."""
        op = n.op
        if n.kind == "main" and not n.fixed and self._knows_cpu(n):
            # Preempted here, the task may go on on another CPU.
            return True
        if not is_access(op) or n.id not in self.kept:
            return False
        if not self.fuse:
            return True
        if op.place.var == "current_task" and not isinstance(op, o.Load):  # type: ignore[union-attr]
            return True
        return self._shared(n, op)  # type: ignore[arg-type]

    def _knows_cpu(self, n: Node) -> bool:
        if not any(isinstance(x, o.Leaf) and x.name == "this_cpu" for x in _exprs(n.op)):
            return False
        if not is_kept(n.op, self.v):
            return False
        return not self.fuse or any(
            n.id in self.v.reached[ci] for ci in self.many if ci in self.v.reached
        )

    def _shared(self, n: Node, op: o.Load | o.Store | o.Fresh) -> bool:
        reads = isinstance(op, o.Load)
        aged = aged_by(op, self.v) if isinstance(op, o.Fresh) else set()
        stays = n.fixed or self.v.vars[op.place.var].domain == "task"
        alone = stays and n.id in self.here and not aged
        for ci, elems in self.v.access[n.id].items():
            for c in {(op.place.var, e) for e in elems} | aged:
                if self._met(c, ci, reads, alone, n):
                    return True
            if n.kind == "main" and not n.fixed:
                own_reads, own_writes = self.between.touched(ci, n)
                cells = {(op.place.var, e) for e in elems} | aged
                if cells & own_writes or (not reads and cells & own_reads):
                    if not self.between.is_silent(ci, n):
                        return True
        return False

    def _met(self, c: Cell, ci: int, reads: bool, alone: bool, n: Node) -> bool:
        """Whether another context touches cell ``c``, one of the two writing."""
        if not alone:
            others = self.writers.get(c, set()) | (set() if reads else self.readers.get(c, set()))
            return any(not self.is_stuck(k) for k in others - {ci})
        # Others meet it only where they reach over by another name, or interrupt.
        others = self.far_writers.get(c, set()) | (
            set() if reads else self.far_readers.get(c, set())
        )
        if not n.irqs_off and n.kind != "irq":
            near = self.writers.get(c, set()) | (set() if reads else self.readers.get(c, set()))
            others = others | {k for k in near if self.v.contexts[k].kind == "irq"}
        others = others | self._drains(c, reads)
        return any(not self.is_stuck(k) for k in others - {ci})

    def _drains(self, c: Cell, reads: bool) -> set[int]:
        """The store buffers that touch ``c`` by themselves, whatever their CPUs shut out."""
        near = self.writers.get(c, set()) | (set() if reads else self.readers.get(c, set()))
        return {k for k in near if self.v.contexts[k].kind == DRAIN}

    def is_stuck(self, ci: int) -> bool:
        """Whether the context is what is asked of states in which nothing can move: every frame
        stands at a wait then, and a step ends before one.
        """
        return self.v.contexts[ci].kind == "stuck"

    def cells_of(self, n: Node) -> set[Cell]:
        """Every cell that an access may be to."""
        assert isinstance(n.op, o.Load | o.Store | o.Fresh)
        cells = {(n.op.place.var, e) for es in self.v.access[n.id].values() for e in es}
        return cells | (aged_by(n.op, self.v) if isinstance(n.op, o.Fresh) else set())


def is_access(op: object) -> bool:
    return isinstance(op, o.Load | o.Store | o.Fresh)


def _exprs(op: object) -> list[o.Expr]:
    if isinstance(op, Cut | Restrict | Push | End | o.Atomic):
        return []
    return [x for e in o.exprs_of(op) for x in o.walk(e)]  # type: ignore[arg-type]


def region_of(g: Graph, n: Node) -> list[int]:
    """The nodes of the atomic region that begins at ``n``."""
    seen: set[int] = set()
    todo = list(n.next)
    while todo:
        i = todo.pop()
        if i in seen or not g.nodes[i].atomic:
            continue
        seen.add(i)
        todo += g.nodes[i].next
    return sorted(seen)


def predecessors(g: Graph) -> dict[int, list[int]]:
    out: dict[int, list[int]] = {}
    for n in g.nodes:
        for m in n.next:
            out.setdefault(m, []).append(n.id)
    return out

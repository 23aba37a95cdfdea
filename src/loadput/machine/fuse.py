"""What a step is: which operations another context can see, and where a step therefore ends.

A step runs on to the first visible operation, does it, and goes on over what nobody can tell apart
up to the next one. What a task does to its own CPU's data with preemption off is visible only to
interrupts; what no other context of the program and scenario touches is visible to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..ir import ops as o
from .nodes import KINDS, Cut, End, Graph, Node, Push, Restrict
from .rmw import read_modify_writes
from .values import Values

FREE, STOP, VISIBLE = 0, 1, 2


@dataclass(slots=True)
class Fused:
    """Per node its class; per kind the control points, whose number is the frame's pc.

    :param leaves: nodes after which the CPU runs another task: the step ends there
    """

    cls: list[int]
    control: dict[str, list[int]]
    pc_of: dict[int, int]
    leaves: set[int]

    def after_leaving(self, g: Graph, i: int) -> int:
        """Where the frame that leaves the CPU at node ``i`` goes on; -1 where it is over then."""
        after = g.nodes[i].next[0]
        return -1 if isinstance(g.nodes[after].op, End) else after

    def stops_before(self, n: Node) -> bool:
        """Whether a step that has done its visible operation ends before ``n``."""
        if n.atomic and not (isinstance(n.op, o.Atomic) and n.op.on):
            return False
        return not isinstance(n.op, Cut | End) and self.cls[n.id] != FREE


def _accesses_memory(op: object) -> bool:
    return isinstance(op, o.Load | o.Store | o.Fresh)


class _Visibility:
    def __init__(self, g: Graph, v: Values, fuse: bool) -> None:
        self.g, self.v, self.fuse = g, v, fuse
        self.readers: dict[tuple[str, int], set[int]] = {}
        self.writers: dict[tuple[str, int], set[int]] = {}
        # The same, by the frames that come between a task's own steps: its notifiers'.
        self.between: dict[tuple[str, int, bool], set[int]] = {}
        self.remote: set[str] = set()
        self.by_irq: set[str] = set()
        self.always: set[str] = {"current_task"}
        self.rmw = read_modify_writes(g)
        for nid, per in v.access.items():
            n = g.nodes[nid]
            op = n.op
            assert isinstance(op, o.Load | o.Store | o.Fresh)
            var = op.place.var
            if not self._kept(n):
                continue
            table = self.readers if isinstance(op, o.Load) else self.writers
            for ci, elems in per.items():
                if v.contexts[ci].kind == "stuck":
                    continue
                for e in elems:
                    table.setdefault((var, e), set()).add(ci)
                    if n.kind == "sched":
                        key = (var, e, not isinstance(op, o.Load))
                        self.between.setdefault(key, set()).add(ci)
                if v.contexts[ci].kind == "irq":
                    self.by_irq.add(var)
            if not self._local_index(n) and n.kind != "stuck":
                self.remote.add(var)
            if isinstance(op, o.Fresh):
                self._ages(op, per)

    def _ages(self, op: o.Fresh, per: dict[int, set[int]]) -> None:
        """An owner's write marks every other copy stale, wherever it is."""
        kind = self.v.vars[op.place.var].type.kind  # type: ignore[union-attr]
        for name, var in self.v.vars.items():
            if getattr(var.type, "kind", None) == kind and name != op.place.var:
                for e in range(var.count * var.length):
                    self.writers.setdefault((name, e), set()).update(per)

    def _kept(self, n: Node) -> bool:
        op = n.op
        assert isinstance(op, o.Load | o.Store | o.Fresh)
        if all(len(c) == 1 for c in self.v.cells[op.place.var]):
            return False
        if isinstance(op, o.Load):
            return op.dst in self.v.needed_locals
        assert isinstance(op, o.Store | o.Fresh)
        return op.place.var in self.v.needed_vars

    def _local_index(self, n: Node) -> bool:
        op = n.op
        assert isinstance(op, o.Load | o.Store | o.Fresh)
        var, index = self.v.vars[op.place.var], op.place.index
        if var.domain != "cpu":
            return False
        here: o.Expr = o.Leaf("this_cpu")
        return index == (o.Bin("add", here, o.Const(1)) if var.by == "ptr" else here)

    def visible(self, n: Node) -> bool:
        """Whether some other context can tell when this operation happens."""
        op = n.op
        if isinstance(op, o.Load | o.Store | o.Fresh):
            if not self._kept(n) or n.id not in self.v.access:
                return False
            if op.place.var in self.always and not isinstance(op, o.Load):
                return True
            if not self.fuse:
                return True
            return self._shared(n, op)
        if n.fixed or n.atomic:
            return False
        return any(isinstance(x, o.Leaf) and x.name == "this_cpu" for x in _exprs(op))

    def _shared(self, n: Node, op: o.Load | o.Store | o.Fresh) -> bool:
        var = op.place.var
        writes = not isinstance(op, o.Load)
        local = self._local_index(n) and var not in self.remote
        if local and n.fixed and not isinstance(op, o.Fresh):
            if n.irqs_off or n.kind == "irq" or var not in self.by_irq:
                return False
        if isinstance(op, o.Fresh):
            return True
        for ci, elems in self.v.access[n.id].items():
            for e in elems:
                others_w = self.writers.get((var, e), set()) - {ci}
                others_r = self.readers.get((var, e), set()) - {ci}
                if others_w or (writes and others_r):
                    return True
                if self._local_index(n) and n.kind == "main" and not n.fixed:
                    # Preempted here, the task may go on on another CPU, and its notifiers come
                    # between: they leave something behind on this one.
                    written = ci in self.between.get((var, e, True), ())
                    if written or (writes and ci in self.between.get((var, e, False), ())):
                        return True
                if n.id in self.rmw and ci in self.between.get((var, e, True), ()):
                    return True
        return False


def _exprs(op: object) -> list[o.Expr]:
    if isinstance(op, Cut | Restrict | Push | End | o.Atomic):
        return []
    return [x for e in o.exprs_of(op) for x in o.walk(e)]  # type: ignore[arg-type]


def fuse(g: Graph, v: Values, *, enabled: bool = True) -> Fused:
    """Return the class of each node and the control points of each kind of frame.

    :param enabled: False: every access to memory is a step of its own (``--no-fuse``)
    """
    vis = _Visibility(g, v, enabled)
    cls = [_class(n, g, vis) for n in g.nodes]
    _break_cycles(g, cls)
    return _control_points(g, v, cls)


def _class(n: Node, g: Graph, vis: _Visibility) -> int:
    op = n.op
    if isinstance(op, Push | End | Cut):
        return VISIBLE
    if isinstance(op, o.Atomic):
        if not op.on or op.ghost:
            return STOP if op.on and op.ghost == "before" else FREE
        inner = _region(g, n)
        if any(vis.visible(g.nodes[i]) for i in inner):
            return VISIBLE
        return STOP if any(isinstance(g.nodes[i].op, o.Choose | o.Assume) for i in inner) else FREE
    if n.atomic:
        return FREE
    if vis.visible(n):
        return VISIBLE
    if isinstance(op, o.Choose | o.Assume | Restrict):
        return STOP
    return FREE


def _region(g: Graph, n: Node) -> list[int]:
    seen: set[int] = set()
    todo = list(n.next)
    while todo:
        i = todo.pop()
        if i in seen or not g.nodes[i].atomic:
            continue
        seen.add(i)
        todo += g.nodes[i].next
    return sorted(seen)


def _break_cycles(g: Graph, cls: list[int]) -> None:
    """A loop without a visible operation ends a step once a turn, in its most deeply nested place.

    Such a loop is often one that no run takes; the deepest place is the least used by others.
    """
    while True:
        loop = _find_loop(g, cls)
        if not loop:
            return
        cls[max(loop, key=lambda i: (len(g.nodes[i].stack), -i))] = VISIBLE


def _find_loop(g: Graph, cls: list[int]) -> list[int]:
    """The nodes of one loop that passes no visible operation; [] where there is none."""
    state = [0] * len(g.nodes)
    for root in range(len(g.nodes)):
        if state[root]:
            continue
        stack: list[tuple[int, int]] = [(root, 0)]
        state[root] = 1
        while stack:
            n, k = stack.pop()
            nexts = [] if cls[n] == VISIBLE else g.nodes[n].next
            if k < len(nexts):
                stack.append((n, k + 1))
                m = nexts[k]
                if state[m] == 1:
                    nodes = [i for i, _ in stack]
                    return [i for i in nodes[nodes.index(m) :] if not g.nodes[i].atomic]
                if state[m] == 0:
                    state[m] = 1
                    stack.append((m, 0))
            else:
                state[n] = 2
    return []


def _control_points(g: Graph, v: Values, cls: list[int]) -> Fused:
    out = Fused(cls, {k: [] for k in KINDS}, {}, _leaving(g))
    reached = set().union(*v.reached.values())
    todo: list[int] = []

    def add(i: int) -> None:
        if i not in out.pc_of and i in reached:
            row = out.control[g.nodes[i].kind]
            row.append(i)
            out.pc_of[i] = len(row)
            todo.append(i)

    for i in g.entries.values():
        add(i)
    at = 0
    while at < len(todo):
        for i in _stops(g, out, todo[at]):
            add(i)
        at += 1
    return out


def _leaving(g: Graph) -> set[int]:
    """The nodes after which the CPU is on another task's stack."""
    out = set()
    for n in g.nodes:
        if isinstance(n.op, o.Store) and n.op.place.var == "current_task":
            i = n.id
            while g.nodes[i].atomic and not (isinstance(g.nodes[i].op, o.Atomic) and i != n.id):
                i = g.nodes[i].next[0]
            out.add(i)
            # A task that is switched to again has interrupts on at once.
            while isinstance(g.nodes[g.nodes[i].next[0]].op, Cut):
                g.nodes[i].next = list(g.nodes[g.nodes[i].next[0]].next)
    return out


def _stops(g: Graph, f: Fused, start: int) -> Iterable[int]:
    """Where a step from ``start`` can end, in a fixed order."""
    out: dict[int, None] = {}
    seen: set[tuple[int, bool]] = set()
    todo = [(start, False)]
    while todo:
        i, done = todo.pop()
        if (i, done) in seen:
            continue
        seen.add((i, done))
        n = g.nodes[i]
        if done and f.stops_before(n):
            out[i] = None
        elif isinstance(n.op, Push):
            out[n.next[0]] = None
        elif i in f.leaves:
            if f.after_leaving(g, i) >= 0:
                out[n.next[0]] = None
        else:
            ends = done or f.cls[i] == VISIBLE
            todo += [(m, ends) for m in reversed(n.next)]
    return out

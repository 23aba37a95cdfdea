"""What a step can pass: each node before or after the step's visible operation, and where it ends.

Follows ``Interpreter._run``; the code generator and the layout both read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...ir import ops as o
from ...machine.fuse import VISIBLE
from ...machine.model import Machine
from ...machine.nodes import BEGINS, FRAMES, End, Push

OVER = -1


@dataclass(frozen=True, slots=True)
class Item:
    """A node in a step; ``done``: the visible operation lies behind."""

    node: int
    done: bool


@dataclass(frozen=True, slots=True)
class Leave:
    """The step ends; the frame goes on at ``node``, or is ``OVER``."""

    node: int


Next = Item | Leave


@dataclass(slots=True)
class Shape:
    """The ways of every step of a machine.

    :param rest: per kind of frame, the nodes at which it can stand; the packed pc is the index + 1
    :param entries: per kind, the nodes at which a step can begin: ``rest`` first
    :param reached: the nodes that the value analysis reaches
    :param loose: locals that may be read before they are written: they are 0 then
    """

    machine: Machine
    rest: dict[str, list[int]]
    entries: dict[str, list[int]]
    loose: set[str]
    reached: set[int]
    next: dict[Item, list[Next]] = field(default_factory=dict)

    def eid(self, kind: str, node: int) -> int:
        """The number of the entry at ``node``, over all kinds."""
        return self.first(kind) + self.entries[kind].index(node)

    def first(self, kind: str) -> int:
        """The number of the first entry of ``kind``."""
        before = BEGINS[: BEGINS.index(kind)]
        return sum(len(self.entries[k]) for k in before)

    def pc(self, node: int) -> int:
        """The packed pc of a frame that stands at ``node``."""
        if node == OVER:
            return 0
        return self.rest[self.machine.graph.nodes[node].kind].index(node) + 1


def reads(op: object) -> list[o.Expr]:
    """Every expression that ``op`` evaluates, with its parts."""
    if isinstance(
        op, o.Assign | o.Load | o.Store | o.Fresh | o.Choose | o.Assume | o.Check | o.Branch
    ):
        return [x for e in o.exprs_of(op) for x in o.walk(e)]
    return []


def make_shape(m: Machine) -> Shape:
    """Return the shape of ``m``."""
    g = m.graph
    live = m.live
    loose = {name for i in g.entries.values() for name in live[i]}
    reached = set().union(*m.values.reached.values())
    s = Shape(m, {k: [] for k in BEGINS}, {k: [] for k in BEGINS}, loose, reached)
    todo: list[int] = []

    def stand(node: int) -> None:
        row = s.rest[g.nodes[node].kind]
        if node not in row:
            row.append(node)
            todo.append(node)

    starts = [g.entries[(k, n)] for k in BEGINS for n in g.starts[k]]
    for kind in FRAMES:
        for i in range(m.pc_step[kind]):
            pc = m.initial[m.pc_at[kind] + i]
            if pc:
                stand(m.node_of(kind, pc))
    todo += starts
    while todo:
        for node in walk(s, todo.pop()):
            stand(node)
    for kind in BEGINS:
        s.rest[kind].sort(key=lambda n: m.fused.pc_of[n])
        more = [n for n in dict.fromkeys(starts) if g.nodes[n].kind == kind]
        s.entries[kind] = s.rest[kind] + [n for n in more if n not in s.rest[kind]]
    return s


def walk(s: Shape, entry: int, *, whole: bool = False) -> list[int]:
    """Enter every item that a step from ``entry`` can pass; return where frames come to stand.

    :param whole: a condition on states, which runs to its end
    """
    stands: list[int] = []
    todo = [Item(entry, False)]
    while todo:
        it = todo.pop()
        if it in s.next:
            continue
        s.next[it] = nexts = _nexts(s, it, whole)
        for x in nexts:
            if isinstance(x, Item):
                todo.append(x)
            elif x.node != OVER:
                stands.append(x.node)
        op = s.machine.graph.nodes[it.node].op
        if isinstance(op, Push):
            stands.append(op.entry)
    return stands


def _nexts(s: Shape, it: Item, whole: bool) -> list[Next]:
    m = s.machine
    n = m.graph.nodes[it.node]
    if isinstance(n.op, End):
        return [Leave(OVER)]
    if isinstance(n.op, Push):
        return [Leave(n.next[0])]
    control = isinstance(n.op, o.Choose | o.Branch | o.Assume | o.Check)
    if n.id in m.fused.leaves and not control:
        after = m.fused.after_leaving(m.graph, n.id)
        return [Leave(OVER if after < 0 else after)]
    done = it.done or (m.fused.cls[n.id] == VISIBLE and not whole)
    out: list[Next] = []
    for k, i in enumerate(n.next):
        if i not in s.reached:
            continue
        if isinstance(n.op, o.Branch) and not _can_take(s, n.id, k == 0):
            continue
        stop = done and m.fused.stops_before(m.graph.nodes[i])
        out.append(Leave(i) if stop else Item(i, done))
    return out


def _can_take(s: Shape, node: int, way: bool) -> bool:
    op = s.machine.graph.nodes[node].op
    if any(isinstance(x, o.Local) and x.name in s.loose for x in reads(op)):
        return True
    taken = s.machine.values.taken.get(node, {True, False})
    return way in taken

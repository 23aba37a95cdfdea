"""Where a step ends so that no wait depends on what a step is.

A frame stands before what it waits for. Had a step begun before a choice or a lock and run on into
the wait, the frame would stand before the step, and take back what it cannot take back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..ir import ops as o
from .locks import is_held_shut
from .nodes import End, Graph, Node, Restrict
from .tso import is_buffer
from .visible import Visibility, is_access, predecessors, region_of

MOST = 20_000
"""Places of one walk; beyond, the frame may stand there."""


def ends_before_waits(g: Graph, vis: Visibility, passed: set[int]) -> set[int]:
    """The nodes that a step ends at or begins with, of those that it ran on over.

    What touches memory after a choice is a step's end before any wait: the choice is settled then.
    What shuts others out, and the first that an interrupt does, begins a step before a wait that a
    frame may stand at: interrupts or preemption are off there, which is not where they are on.
    What is asked of states in which nothing moves reads them with every frame at its wait: what it
    reads is written before.

    :param passed: the nodes that a step runs on over
    """
    w = _Waits(g, vis)
    after = {n.id: n.next for n in g.nodes}
    settled = _along(after, w.chosen, passed, set())
    acts = w.told | (w.touches & settled)
    before = predecessors(g)
    shut = _shuts_out(g, vis) | _first_of_interrupts(g)
    return (
        _along(before, w.all, passed, acts) & acts | _along(before, w.stands, passed, shut) & shut
    )


@dataclass(slots=True)
class _Waits:
    """What a step may meet.

    :param all: where a frame may have to wait, or a choice is taken back
    :param stands: those of them that a frame may stand at whatever it chooses
    :param chosen: choices; ``touches``: accesses to memory
    :param told: what settles the choices that it comes with, or is read where nothing moves
    """

    g: Graph
    vis: Visibility
    all: set[int] = field(default_factory=set)
    stands: set[int] = field(default_factory=set)
    chosen: set[int] = field(default_factory=set)
    touches: set[int] = field(default_factory=set)
    told: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        vis = self.vis
        asked = {c for c, cis in vis.readers.items() if any(vis.is_stuck(k) for k in cis)}
        tells = {i for i in vis.writes if vis.cells_of(self.g.nodes[i]) & asked}
        passes = _Passes(self.g, vis)
        for n in self.g.nodes:
            if isinstance(n.op, o.Atomic) and n.op.on:
                inner = region_of(self.g, n)
                if n.op.ghost:
                    if tells & set(inner):
                        self.told.update(
                            i for i in inner if isinstance(self.g.nodes[i].op, o.Atomic)
                        )
                else:
                    self._region(n, inner, tells, passes)
            elif not n.atomic:
                self._plain(n, tells)

    def _plain(self, n: Node, tells: set[int]) -> None:
        if isinstance(n.op, o.Choose):
            self.chosen.add(n.id)
        elif isinstance(n.op, o.Assume):
            self.all.add(n.id)
            self.stands.add(n.id)
        elif n.id in self.vis.kept:
            self.touches.add(n.id)
            self.told |= {n.id} & tells

    def _region(self, n: Node, inner: list[int], tells: set[int], passes: _Passes) -> None:
        ops = [self.g.nodes[i].op for i in inner]
        picks = any(isinstance(op, o.Choose) for op in ops)
        if picks:
            self.chosen.add(n.id)
        if any(isinstance(op, o.Assume) for op in ops):
            self.all.add(n.id)
            late = any(isinstance(op, o.Load) and is_buffer(op.place.var) for op in ops)
            if not ((picks or late) and passes.always(n)):
                self.stands.add(n.id)
        if self.vis.kept & set(inner):
            self.touches.add(n.id)
            self.told |= {n.id} if picks or tells & set(inner) else set()


class _Passes:
    """Whether a region that picks can be passed in every state, by some pick.

    The scheduler's is one: its task may give way to the CPU's idle task, which is always there; and
    the lock before it is the CPU's own, taken and given back with its interrupts off throughout, so
    that nobody there finds it taken (`locks`).
    """

    def __init__(self, g: Graph, vis: Visibility) -> None:
        self.g, self.vis, self.a = g, vis, vis.a
        self.shut: dict[str, bool] = {}

    def always(self, n: Node) -> bool:
        """Whether every context that comes to the region that begins at ``n`` passes it."""
        inner = [self.g.nodes[i].op for i in region_of(self.g, n)]
        self.zero = {_waits_for_zero(op.cond) for op in inner if isinstance(op, o.Assume)}
        self.left = MOST
        return all(
            self._passes(ci, n.next[0], {})
            for ci, reached in self.a.v.reached.items()
            if n.id in reached
        )

    def _passes(self, ci: int, i: int, known: Mapping[str, set[int]]) -> bool:
        """Whether context ``ci`` gets from node ``i`` out of the region, by some choice each time.

        :param known: the values that locals may have there, where the region has set them
        """
        known = dict(known)
        while (n := self.g.nodes[i]).atomic:
            self.left -= 1
            if self.left < 0:
                return False
            op = n.op
            match op:
                case o.Assume() if 0 in self.a.values_in(ci, op.cond, known):
                    return False
                case o.Assign():
                    known[op.dst] = self.a.values_in(ci, op.expr, known)
                case o.Load():
                    known[op.dst] = self._read(ci, n, op)
                case o.Choose():
                    lo = self.a.values_in(ci, op.lo, known)
                    hi = self.a.values_in(ci, op.hi, known)
                    picks = range(max(lo, default=0), min(hi, default=-1) + 1)
                    return any(self._passes(ci, n.next[0], {**known, op.dst: {x}}) for x in picks)
                case o.Branch():
                    takes = {bool(x) for x in self.a.values_in(ci, op.cond, known)}
                    return all(self._passes(ci, n.next[not x], known) for x in takes)
            if not n.next:
                break
            i = n.next[0]
        return True

    def _read(self, ci: int, n: Node, op: o.Load) -> set[int]:
        """What a load may find that a wait looks at: a lock that is held with everything shut out,
        never taken; the CPU's store buffer, empty in the end, whatever the CPU shuts out.
        """
        var = op.place.var
        if op.dst in self.zero and n.id in self.vis.here and not any(self.vis.v.vars[var].init):
            if var not in self.shut:
                self.shut[var] = is_buffer(var) or is_held_shut(self.g, var, self.vis.here)
            if self.shut[var]:
                return {0}
        cells = self.vis.v.cells[var]
        return set().union(*(cells[e] for e in self.vis.v.access.get(n.id, {}).get(ci, ())))


def _waits_for_zero(cond: o.Expr) -> str:
    """The local whose being 0 or false is waited for; "" where it is something else."""
    match cond:
        case o.Un("not", o.Local(name)) | o.Bin("eq", o.Local(name), o.Const(0)):
            return name
    return ""


def _shuts_out(g: Graph, vis: Visibility) -> set[int]:
    """Where interrupts or preemption go off, but for a task that nobody preempts: the idle one."""
    ends = {n.id for n in g.nodes if n.kind == "sched" and isinstance(n.op, End)}
    idle: set[int] = set()
    others: set[int] = set()
    for seen in vis.v.reached.values():
        (others if seen & ends else idle).update(seen)
    return {
        n.id
        for n in g.nodes
        if isinstance(n.op, Restrict)
        and (n.id not in idle - others or any(g.nodes[m].irqs_off > n.irqs_off for m in n.next))
    }


def _first_of_interrupts(g: Graph) -> set[int]:
    """What each interrupt does first, after what is noted of it."""
    out, seen = set(), set()
    todo = [i for (kind, _), i in g.entries.items() if kind == "irq"]
    while todo:
        n = g.nodes[todo.pop()]
        if n.id in seen:
            continue
        seen.add(n.id)
        starts = isinstance(n.op, o.Atomic) and n.op.on and not n.op.ghost
        if starts or (not n.atomic and (is_access(n.op) or isinstance(n.op, o.Assume | o.Choose))):
            out.add(n.id)
        else:
            todo += n.next
    return out


def _along(
    way: Mapping[int, Iterable[int]], start: set[int], passed: set[int], stop: set[int]
) -> set[int]:
    """What is met from ``start`` on within a step, up to and with what is in ``stop``."""
    out: set[int] = set()
    todo = list(start)
    while todo:
        for i in way.get(todo.pop(), ()):
            if i not in out and i in passed:
                out.add(i)
                if i not in stop:
                    todo.append(i)
    return out

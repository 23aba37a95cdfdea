"""Which stores another CPU can miss for a while, and where a CPU's buffer may hold some.

On x86 a store waits in its CPU's buffer while the CPU goes on: its later loads may be done before
it, nothing else. So a store that no load of what others write can pass, before the buffer is
emptied, is as good as done when it is issued: what its CPU does until it becomes visible is seen by
nobody, and may as well be done then. docs/memory.md has the argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..ir import ops as o
from .forget import base_of, is_shadow
from .nodes import End, Graph, Node, Push
from .values import Analysis, is_switch
from .visible import Visibility, region_of

FULL = ("mb", "locked")
"""The barriers that empty a store buffer; the others order what x86 never lets pass."""
TOLD = (*FULL, "rmb", "wmb")
"""The barriers that a path may be asked for."""
CAP = 8
"""Stores that a buffer holds where nothing bounds their number: a run that needs more is told."""
Held = tuple[frozenset[str], int]
NONE: Held = (frozenset(), 0)


@dataclass(slots=True)
class Buffered:
    """What becomes of a graph's nodes; of some, with how many stores the buffer may hold before.

    :param stores: those that go to the buffer
    :param loads: those that may find their place in it
    :param waits: what comes only when the buffer is empty, where it may not be
    :param watched: nothing bounds how many stores a buffer holds
    """

    stores: dict[int, int] = field(default_factory=dict)
    loads: dict[int, int] = field(default_factory=dict)
    waits: set[int] = field(default_factory=set)
    watched: bool = False


def find_buffered(g: Graph, a: Analysis) -> Buffered:
    """Return what has to wait, and where.

    :param a: the analysis of values, run to its end
    """
    return Finder(g, a).run()


class Finder:
    """Finds which stores may wait: `run`."""

    most = CAP

    def __init__(self, g: Graph, a: Analysis) -> None:
        self.g, self.a, self.v = g, a, a.v
        self.vis = Visibility(g, a, True)
        self.cpus = [a.cpus_of(c) for c in self.v.contexts]
        self.starts = [g.entries[("sched", s)] for s in g.starts["sched"]]
        # A locked instruction's barrier and what it does are one step.
        nexts = [n.next[0] for n in g.nodes if is_full(n) and not n.atomic]
        self.locked = {i for i in nexts if isinstance(g.nodes[i].op, o.Atomic)}
        self.empties = {n.id for n in g.nodes if self._empties(n)}
        self.before: dict[int, list[int]] = {}
        for n in g.nodes:
            for m in self._after(n):
                self.before.setdefault(m, []).append(n.id)

    def run(self) -> Buffered:
        """What has to wait, and where."""
        out = Buffered()
        stores = [i for i in sorted(self.vis.kept) if self._is_store(self.g.nodes[i])]
        seen = {i for i in self.vis.kept if self._sees(self.g.nodes[i])}
        ends = {n.id for n in self.g.nodes if isinstance(n.op, End) and n.kind == "sched"}
        late, more = {i for i in stores if i not in self.empties}, True
        late = {i for i in late if isinstance(self.g.nodes[i].op, o.Store)}
        while more:
            # What is behind a store that is as good as done is no concern of one before it.
            done = self.empties | {i for i in stores if i not in late}
            known: dict[frozenset[int], set[int]] = {}
            more = False
            for i in sorted(late):
                others = frozenset(seen - self._own(i, seen))
                if others not in known:
                    known[others] = self._leads_to(others | ends, done)
                if not any(m in known[others] for m in self._after(self.g.nodes[i])):
                    late.discard(i)
                    more = True
        if not late:
            return out
        held = self._flow(late, {i for i in stores if i not in late})
        for i, (places, depth) in held.items():
            n = self.g.nodes[i]
            if i in late:
                out.watched = out.watched or depth >= self.most
                out.stores[i] = min(depth, self.most - 1)
            elif isinstance(n.op, o.Load) and n.op.mark != "late":
                base = base_of(n.op.place.var)
                if base in places and n.kind in ("main", "sched", "irq"):
                    out.loads[i] = min(depth, self.most)
            elif depth and (i in self.empties or i in stores):
                out.waits.add(i)
        return out

    # what is shared

    def _elsewhere(self, n: Node, reads: bool) -> bool:
        """Whether a context that may run on another CPU at the same time touches what ``n`` does,
        one of the two writing.
        """
        vis = self.vis
        near = n.id in vis.here
        w = vis.far_writers if near else vis.writers
        r = vis.far_readers if near else vis.readers
        assert isinstance(n.op, o.Load | o.Store | o.Fresh)
        for ci, elems in self.v.access[n.id].items():
            for e in elems:
                c = (n.op.place.var, e)
                others = w.get(c, set()) | (set() if reads else r.get(c, set()))
                if any(k != ci and self._apart(ci, k) for k in others):
                    return True
        return False

    def _apart(self, a: int, b: int) -> bool:
        """Whether two contexts may run on two CPUs at once; who looks at every state is on none."""
        if "always" in (self.v.contexts[a].kind, self.v.contexts[b].kind):
            return True
        return any(x != y for x in self.cpus[a] for y in self.cpus[b])

    def _is_ghost(self, n: Node) -> bool:
        assert isinstance(n.op, o.Load | o.Store | o.Fresh)
        return self.v.vars[n.op.place.var].ghost or is_shadow(n.op.place.var)

    def _is_store(self, n: Node) -> bool:
        """A store that others could miss; those of a region are done with it."""
        if not isinstance(n.op, o.Store | o.Fresh) or n.atomic or not self._in_memory(n):
            return False
        return not is_switch(n.op) and self._elsewhere(n, False)

    def _sees(self, n: Node) -> bool:
        """Whether ``n`` tells when it is done: it reads what others write, or a property's notes
        are taken.
        """
        assert isinstance(n.op, o.Load | o.Store | o.Fresh)
        if is_shadow(n.op.place.var):
            return False
        if isinstance(n.op, o.Load):
            return self._elsewhere(n, True)
        return self._is_ghost(n) and self._elsewhere(n, False)

    def _own(self, i: int, seen: set[int]) -> set[int]:
        """The loads that find what store ``i`` wrote, and nothing else."""
        mine = self.v.access[i]
        if any(len(es) != 1 for es in mine.values()):
            return set()
        op = self.g.nodes[i].op
        assert isinstance(op, o.Store | o.Fresh)
        out = set()
        for k in seen:
            load = self.g.nodes[k].op
            if isinstance(load, o.Load) and load.place.var == op.place.var:
                if all(self.v.access[k].get(ci, es) == es for ci, es in mine.items()):
                    out.add(k)
        return out

    # where a store may still wait

    def _empties(self, n: Node) -> bool:
        """Whether the architecture empties the buffer here: a barrier, a locked instruction or what
        is one step under a lock, a switch of tasks, the end of an interrupt.
        """
        if is_locked(n):
            return not n.atomic
        if isinstance(n.op, o.Barrier):
            alone = not (n.op.kind == "locked" and n.next[0] in self.locked)
            return is_full(n) and not n.atomic and alone
        if isinstance(n.op, End):
            return n.kind == "irq"
        if is_switch(n.op) and not n.atomic:
            return True
        if not isinstance(n.op, o.Atomic) or not n.op.on or n.op.ghost or n.atomic:
            return False
        if n.id in self.locked:
            return True
        row = [self.g.nodes[i] for i in region_of(self.g, n)]
        read = {m.op.place.var for m in row if isinstance(m.op, o.Load) and self._in_memory(m)}
        return any(
            self._is_locked(m) or (isinstance(m.op, o.Store) and m.op.place.var in read)
            for m in row
        )

    def _in_memory(self, n: Node) -> bool:
        """Not a register of the CPU, nor a note of a property's."""
        return not self._is_ghost(n) and not _place(n).var.startswith("hw_")

    def _is_locked(self, n: Node) -> bool:
        if is_full(n) or is_switch(n.op) or is_locked(n):
            return True
        if not isinstance(n.op, o.Store | o.Fresh) or n.id not in self.vis.kept:
            return False
        return self._in_memory(n) and self._elsewhere(n, False)

    def _is_open(self, n: Node) -> bool:
        """Whether the task may be preempted before ``n``."""
        return n.kind == "main" and n.depth == 0 and not n.irqs_off

    def _after(self, n: Node) -> Iterable[int]:
        out = list(n.next)
        if isinstance(n.op, Push):
            out.append(n.op.entry)
        for m in n.next:
            if self._is_open(self.g.nodes[m]):
                out += self.starts
                break
        return out

    def _leads_to(self, goals: Iterable[int], done: set[int]) -> set[int]:
        """The nodes from which one of ``goals`` is reached before one of ``done`` is."""
        out: set[int] = set()
        todo = [i for i in goals if i not in done]
        while todo:
            i = todo.pop()
            if i in out:
                continue
            out.add(i)
            todo += [k for k in self.before.get(i, ()) if k not in done]
        return out

    def _flow(self, late: set[int], direct: set[int]) -> dict[int, Held]:
        """Per node, the places of the stores that the buffer may hold before it, and how many."""
        g = self.g
        held: dict[int, Held] = {}
        todo: list[int] = []
        over: Held = NONE
        open_ = [n.id for n in g.nodes if self._is_open(n)]
        pushed = [m for n in g.nodes if isinstance(n.op, Push) for m in n.next]

        def join(i: int, new: Held) -> None:
            old = held.get(i)
            both = new if old is None else (old[0] | new[0], max(old[1], new[1]))
            if both != old:
                held[i] = both
                todo.append(i)

        for (kind, _), i in g.entries.items():
            if kind in ("main", "sched", "irq"):
                join(i, NONE)
        while todo:
            i = todo.pop()
            n, out = g.nodes[i], held[i]
            if self._is_open(n):
                for s in self.starts:
                    join(s, out)
            if i in late:
                var = n.op.place.var  # type: ignore[union-attr]
                out = (out[0] | {var}, min(out[1] + 1, self.most))
            elif i in self.empties or i in direct:
                out = NONE
            if isinstance(n.op, End) and n.kind == "sched":
                over = (over[0] | out[0], max(over[1], out[1]))
                for m in (*open_, *pushed):
                    if m in held:
                        join(m, over)
            if isinstance(n.op, Push):
                join(n.op.entry, out)
                for m in n.next:
                    join(m, over)
                continue
            for m in n.next:
                join(m, out)
                if over != NONE and self._is_open(g.nodes[m]):
                    join(m, over)
        return held


def is_full(n: Node) -> bool:
    """Whether ``n`` is a barrier that empties the buffer."""
    return isinstance(n.op, o.Barrier) and n.op.kind in FULL


def is_locked(n: Node) -> bool:
    """Whether ``n`` stores by a locked instruction."""
    return isinstance(n.op, o.Store) and n.op.mark == "locked"


def _place(n: Node) -> o.Place:
    assert isinstance(n.op, o.Load | o.Store | o.Fresh)
    return n.op.place

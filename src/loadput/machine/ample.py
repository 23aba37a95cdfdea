"""Partial order reduction: where one CPU's next step stands for every order of the others.

A step may be taken alone (an ample set) where nothing that another context can do before it has to
do with it. What may be alone is known before the search, per CPU, task and control point, so that
it depends neither on the order of the search nor on threads; docs/reductions.md says why this keeps
every verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..ir import ops as o
from ..ir import types as ty
from .model import Machine
from .nodes import DRAIN, FRAMES, Node, Push
from .values import is_kept

OVER = -1


@dataclass(slots=True)
class Ample:
    """Per (CPU, task), the control points at which the CPU may be taken alone.

    :param points: control points that may be, for some CPU and task
    """

    alone: dict[tuple[int, int], frozenset[int]]
    points: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Touched:
    """Slots of variables that are read and written, as bits."""

    reads: int = 0
    writes: int = 0

    def __or__(self, other: _Touched) -> _Touched:
        return _Touched(self.reads | other.reads, self.writes | other.writes)

    def meets(self, other: _Touched) -> bool:
        """Whether one of them writes what the other touches."""
        return bool(
            self.writes & (other.reads | other.writes) or other.writes & (self.reads | self.writes)
        )


@dataclass(frozen=True, slots=True)
class _Way:
    """The nodes that a step can pass, and where the frame that runs then can stand."""

    nodes: tuple[int, ...]
    stands: tuple[int, ...]


def find_ample(m: Machine) -> Ample:
    """Where a CPU of ``m`` may be taken alone."""
    return _Finder(m).run()


class _Finder:
    def __init__(self, m: Machine) -> None:
        self.m, self.g = m, m.graph
        self.users = len(m.program.scenario.tasks)
        self.ways = {n: _way(m, n) for k in FRAMES for n in m.fused.control[k]}
        self.kinds: dict[str, int] = {}
        for name, at in m.var_at.items():
            t = m.values.vars[name].type
            if isinstance(t, ty.Token):
                bits = ((1 << len(m.values.vars[name].init)) - 1) << at
                self.kinds[t.kind] = self.kinds.get(t.kind, 0) | bits
        self.memo: dict[tuple[int, int, int], _Touched] = {}
        contexts = {(c.kind, c.index): i for i, c in enumerate(m.values.contexts)}
        self.irq = [contexts[("irq", c)] for c in range(m.cpus)]
        self.drains = [i for i, c in enumerate(m.values.contexts) if c.kind == DRAIN]
        self.asked = {k: self._whole(contexts[(k, 0)], -1) for k in ("always", "stuck")}
        at = m.var_at["current_task"]
        self.current = ((1 << m.cpus) - 1) << at

    def run(self) -> Ample:
        out = Ample({})
        for cpu in range(self.m.cpus):
            for task in range(self.m.tasks):
                if cpu in self.m.program.scenario.cpus_of(task):
                    found = self._acyclic(self._alone(cpu, task))
                    out.alone[(cpu, task)] = frozenset(found)
                    out.points |= found
        return out

    # what is touched

    def _node(self, i: int, context: int, cpu: int) -> _Touched:
        """What node ``i`` touches in a context that runs on ``cpu``."""
        key = (i, context, cpu)
        if key not in self.memo:
            self.memo[key] = self._touched(self.g.nodes[i], context, cpu)
        return self.memo[key]

    def _touched(self, n: Node, context: int, cpu: int) -> _Touched:
        op, m = n.op, self.m
        if not isinstance(op, o.Load | o.Store | o.Fresh) or not is_kept(op, m.values):
            return _Touched()
        var, at = m.values.vars[op.place.var], m.var_at.get(op.place.var)
        if at is None:
            return _Touched()
        spots = m.values.access.get(n.id, {}).get(context, set())
        if cpu >= 0 and op.place.index == o.Leaf("this_cpu") and var.by == "cpu":
            spots = {i for i in spots if i // var.length == cpu}
        bits = sum(1 << (at + i) for i in spots)
        if isinstance(op, o.Load):
            return _Touched(bits, 0)
        if isinstance(op, o.Store):
            return _Touched(0, bits)
        assert isinstance(var.type, ty.Token)
        copies = self.kinds.get(var.type.kind, 0)
        return _Touched(copies, copies | bits)

    def _whole(self, context: int, cpu: int, kind: str = "") -> _Touched:
        """All that a context can ever touch while it runs on ``cpu``."""
        out = _Touched()
        for i in sorted(self.m.values.reached.get(context, ())):
            if not kind or self.g.nodes[i].kind == kind:
                out |= self._node(i, context, cpu)
        return out

    def _buffers(self) -> _Touched:
        """All that store buffers, its own CPU's too, can do by themselves."""
        out = _Touched()
        for i in self.drains:
            out |= self._whole(i, self.m.values.contexts[i].index)
        return out

    def _elsewhere(self, cpu: int, task: int) -> _Touched:
        """All that other CPUs can do while ``task`` stays on ``cpu``."""
        out = self._buffers()
        for other in range(self.m.cpus):
            if other == cpu:
                continue
            out |= self._whole(self.irq[other], other)
            for t in range(self.m.tasks):
                if t != task and other in self.m.program.scenario.cpus_of(t):
                    out |= self._whole(t, other)
        return out

    def _anywhere(self, task: int) -> _Touched:
        """All that anything but the task's own main frame can do."""
        out = self._whole(task, -1, "sched") | self._buffers()
        for cpu in range(self.m.cpus):
            out |= self._whole(self.irq[cpu], cpu)
        for t in range(self.m.tasks):
            if t != task:
                out |= self._whole(t, -1)
        return out

    # what may be alone

    def _alone(self, cpu: int, task: int) -> set[int]:
        elsewhere = self._elsewhere(cpu, task)
        irq = self._whole(self.irq[cpu], cpu)
        anywhere = self._anywhere(task)
        out = set()
        for kind in FRAMES:
            context = self.irq[cpu] if kind == "irq" else task
            for n in self.m.fused.control[kind]:
                if n not in self.m.values.reached.get(context, ()):
                    continue
                node, way = self.g.nodes[n], self.ways[n]
                mine = _Touched()
                for i in way.nodes:
                    mine |= self._node(i, context, cpu)
                if mine.writes & (self.asked["always"].reads | self.current):
                    continue
                if kind == "irq" or node.irqs_off:
                    fine = not mine.meets(elsewhere)
                elif mine.writes & self.asked["stuck"].reads:
                    fine = False
                elif kind == "main" and node.depth == 0:
                    fine = not mine.meets(anywhere) and self._stays_open(way, "main")
                else:
                    fine = not mine.meets(elsewhere | irq) and self._stays_open(way, "")
                if fine:
                    out.add(n)
        return out

    def _stays_open(self, way: _Way, kind: str) -> bool:
        """Whether all that may begin before the step may begin after it.

        :param kind: "main" where that is preemption too: then the step may not know its CPU
        """
        for i in way.stands:
            if i == OVER:
                return False
            n = self.g.nodes[i]
            if n.irqs_off or (kind and (n.kind != kind or n.depth > 0)):
                return False
        return not kind or not any(_knows_cpu(self.g.nodes[i].op) for i in way.nodes)

    def _acyclic(self, found: set[int]) -> set[int]:
        """Without some points, so that no frame can go round through points that are left."""
        found = set(found)
        while True:
            loop = self._loop(found)
            if not loop:
                return found
            found.discard(max(loop))

    def _loop(self, found: set[int]) -> list[int]:
        state: dict[int, int] = {}
        for root in sorted(found):
            if root in state:
                continue
            stack = [(root, iter(self.ways[root].stands))]
            state[root] = 1
            while stack:
                n, rest = stack[-1]
                m = next((i for i in rest if i in found and state.get(i) != 2), None)
                if m is None:
                    state[n] = 2
                    stack.pop()
                elif state.get(m) == 1:
                    row = [i for i, _ in stack]
                    return row[row.index(m) :]
                else:
                    state[m] = 1
                    stack.append((m, iter(self.ways[m].stands)))
        return []


def _knows_cpu(op: object) -> bool:
    if not isinstance(
        op, o.Assign | o.Load | o.Store | o.Fresh | o.Choose | o.Assume | o.Check | o.Branch
    ):
        return False
    return any(x == o.Leaf("this_cpu") for e in o.exprs_of(op) for x in o.walk(e))


def _way(m: Machine, start: int) -> _Way:
    """What a step from ``start`` can pass; follows ``Interpreter._run``."""
    g, f = m.graph, m.fused
    nodes: dict[int, None] = {}
    stands: dict[int, None] = {}
    seen: set[tuple[int, bool]] = set()
    todo = [(start, False)]
    while todo:
        i, done = todo.pop()
        if (i, done) in seen:
            continue
        seen.add((i, done))
        n = g.nodes[i]
        if done and f.stops_before(n):
            stands[i] = None
            continue
        nodes[i] = None
        if isinstance(n.op, Push):
            # Both: the frame pushed runs next, its caller goes on when that is over.
            stands.update({n.op.entry: None, n.next[0]: None})
        elif not n.next:
            stands[OVER] = None
        elif i in f.leaves:
            after = f.after_leaving(g, i)
            stands[after if after >= 0 else OVER] = None
        else:
            ends = done or f.cls[i] == 2
            todo += [(k, ends) for k in n.next]
    return _Way(tuple(nodes), tuple(stands))

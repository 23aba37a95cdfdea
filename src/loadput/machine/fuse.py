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
from .values import Analysis, Values
from .visible import Visibility, predecessors, region_of
from .waits import ends_before_waits

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


def fuse(g: Graph, a: Analysis, *, enabled: bool = True) -> Fused:
    """Return the class of each node and the control points of each kind of frame.

    :param a: the analysis of values, run to its end
    :param enabled: False: every access to memory is a step of its own (``--no-fuse``)
    """
    return divide(g, Visibility(g, a, enabled))


def divide(g: Graph, vis: Visibility) -> Fused:
    """Return where steps begin and end, for what ``vis`` says can be seen."""
    cls = [_class(n, g, vis) for n in g.nodes]
    _glue_hooks(g, vis, cls)
    passed = {i for i, c in enumerate(cls) if c != VISIBLE}
    for i in ends_before_waits(g, vis, passed):
        cls[i] = VISIBLE
    _break_cycles(g, cls)
    return _control_points(g, vis.v, cls)


def _class(n: Node, g: Graph, vis: Visibility) -> int:
    op = n.op
    if isinstance(op, Push | End | Cut):
        return VISIBLE
    if isinstance(op, o.Atomic):
        if not op.on or op.ghost == "after":
            return FREE
        inner = region_of(g, n)
        sees = any(vis.visible(g.nodes[i]) for i in inner)
        if op.ghost:
            return STOP if sees or not vis.fuse else FREE
        if sees:
            return VISIBLE
        return STOP if any(isinstance(g.nodes[i].op, o.Choose | o.Assume) for i in inner) else FREE
    if n.atomic:
        return FREE
    if vis.visible(n):
        return VISIBLE
    if isinstance(op, o.Choose | o.Assume | Restrict):
        return STOP
    return FREE


def _glue_hooks(g: Graph, vis: Visibility, cls: list[int]) -> None:
    """A hook that meets others is one step with the access that it stands at, and no other.

    What is asked at the end of a function belongs to its last access. What is noted at the start
    belongs to the first; a property that only looks may as well be asked before all of the step.
    """
    before = predecessors(g)
    after = {n.id: n.next for n in g.nodes}
    for n in g.nodes:
        if not (isinstance(n.op, o.Atomic) and n.op.on and n.op.ghost):
            continue
        region = [g.nodes[i] for i in region_of(g, n)]
        by_hook: dict[str, list[Node]] = {}
        for i in region:
            if len(i.stack) > len(n.stack) and i.stack[len(n.stack)] not in g.forgets:
                by_hook.setdefault(i.stack[len(n.stack)], []).append(i)
        if n.op.ghost == "before":
            keep = {h for h, row in by_hook.items() if any(i.id in vis.writes for i in row)}
            by_hook = {h: row for h, row in by_hook.items() if h in keep}
        if not any(vis.visible(i) for row in by_hook.values() for i in row):
            continue
        if n.op.ghost == "after":
            start, way = before.get(n.id, []), before
        else:
            start = [k for i in region if isinstance(i.op, o.Atomic) for k in i.next]
            way = after
        for nid in _nearest(g, vis, cls, start, way, way is before):
            cls[nid] = VISIBLE


def _nearest(
    g: Graph,
    vis: Visibility,
    cls: list[int],
    start: list[int],
    way: dict[int, list[int]],
    back: bool,
) -> list[int]:
    """The accesses met first from ``start`` on, or ``back`` from it, within the step."""
    out: list[int] = []
    seen: set[int] = set()
    todo = list(start)
    while todo:
        i = todo.pop()
        n = g.nodes[i]
        if i in seen:
            continue
        seen.add(i)
        is_hook = isinstance(n.op, o.Atomic) and bool(n.op.ghost)
        if (i in vis.kept and not n.atomic) or (back and is_hook and cls[i] == STOP):
            out.append(i)  # of what is asked there, too, no step goes on to the next access
        elif cls[i] == FREE or is_hook:
            todo += way.get(i, [])
    return sorted(out)


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

"""What a step is: which operations another context can see, and where a step therefore ends.

A step runs on to the first visible operation, does it, and goes on over what nobody can tell apart
up to the next one. What a task does to its own CPU's data with preemption off is visible only to
interrupts; what no other context of the program and scenario touches is visible to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..ir import ops as o
from .between import Between, Cell, aged_by
from .forget import is_shadow
from .locks import is_held_shut
from .nodes import DRAIN, KINDS, Cut, End, Graph, Node, Push, Restrict
from .values import Analysis, Values, is_kept

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


class Visibility:
    """Which accesses some other frame could tell apart if they happened a little earlier or later.

    Others are what may come between a frame's own steps: everything on other CPUs, interrupts of
    its own while they are on, and, where preemption is on, the scheduler in the task's own name.
    """

    def __init__(self, g: Graph, a: Analysis, fuse: bool) -> None:
        self.g, self.v, self.fuse = g, a.v, fuse
        self.readers: dict[Cell, set[int]] = {}
        self.writers: dict[Cell, set[int]] = {}
        # The same, by accesses that may be to another CPU's data, or another task's.
        self.far_readers: dict[Cell, set[int]] = {}
        self.far_writers: dict[Cell, set[int]] = {}
        self.here = {n.id for n in g.nodes if _is_access(n.op) and self._is_here(n)}
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
        if not _is_access(op) or n.id not in self.kept:
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


def _is_access(op: object) -> bool:
    return isinstance(op, o.Load | o.Store | o.Fresh)


def _exprs(op: object) -> list[o.Expr]:
    if isinstance(op, Cut | Restrict | Push | End | o.Atomic):
        return []
    return [x for e in o.exprs_of(op) for x in o.walk(e)]  # type: ignore[arg-type]


def fuse(g: Graph, a: Analysis, *, enabled: bool = True) -> Fused:
    """Return the class of each node and the control points of each kind of frame.

    :param a: the analysis of values, run to its end
    :param enabled: False: every access to memory is a step of its own (``--no-fuse``)
    """
    return divide(g, a.v, Visibility(g, a, enabled))


def divide(g: Graph, v: Values, vis: Visibility) -> Fused:
    """Return where steps begin and end, for what ``vis`` says can be seen."""
    cls = [_class(n, g, vis) for n in g.nodes]
    _glue_hooks(g, vis, cls)
    _end_before_waits(g, vis, cls)
    _break_cycles(g, cls)
    return _control_points(g, v, cls)


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


def _glue_hooks(g: Graph, vis: Visibility, cls: list[int]) -> None:
    """A hook that meets others is one step with the access that it stands at, and no other.

    What is asked at the end of a function belongs to its last access. What is noted at the start
    belongs to the first; a property that only looks may as well be asked before all of the step.
    """
    before = _predecessors(g)
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
        for nid in _nearest(g, vis, cls, start, way):
            cls[nid] = VISIBLE


def _nearest(
    g: Graph, vis: Visibility, cls: list[int], start: list[int], way: dict[int, list[int]]
) -> list[int]:
    """The accesses met first from ``start`` on, within the step."""
    out: list[int] = []
    seen: set[int] = set()
    todo = list(start)
    while todo:
        i = todo.pop()
        n = g.nodes[i]
        if i in seen:
            continue
        seen.add(i)
        if i in vis.kept and not n.atomic:
            out.append(i)
        elif cls[i] == FREE or (isinstance(n.op, o.Atomic) and n.op.ghost):
            todo += way.get(i, [])
    return sorted(out)


def _end_before_waits(g: Graph, vis: Visibility, cls: list[int]) -> None:
    """A step ends before a wait, once it has touched memory after a choice, or shut out others.

    Else how far back a wait can take a choice would depend on what a step is, and a frame that
    waits with interrupts or preemption off would stand where they are on; an interrupt shuts out
    what it comes between by its first operation, which says when it comes. One that only picks
    among what is possible, as the scheduler does, is not waited at. What is asked of states in
    which nothing moves reads them with every frame at its wait: what it reads is written before.
    """
    before = _predecessors(g)
    waits, acts, chosen, plain, touches = set(), set(), set(), set(), set()
    locks: dict[str, bool] = {}
    # Where stores wait, most accesses are regions: docs/memory.md says what that leaves out.
    buffered = any(n.kind == DRAIN for n in g.nodes)
    shut = _first_of_interrupts(g)
    asked = {c for c, cis in vis.readers.items() if any(vis.is_stuck(k) for k in cis)}
    for n in g.nodes:
        if isinstance(n.op, o.Choose) and not n.atomic:
            chosen.add(n.id)
        if isinstance(n.op, Restrict):
            shut.add(n.id)
        if isinstance(n.op, o.Assume) and not n.atomic:
            waits.add(n.id)
            plain.add(n.id)
        if n.id in vis.writes and not n.atomic and vis.cells_of(n) & asked:
            acts.add(n.id)
        if isinstance(n.op, o.Atomic) and n.op.on:
            inner = region_of(g, n)
            if n.op.ghost:
                if any(i in vis.writes and vis.cells_of(g.nodes[i]) & asked for i in inner):
                    acts.update(i for i in inner if isinstance(g.nodes[i].op, o.Atomic))
            else:
                picks = any(isinstance(g.nodes[i].op, o.Choose) for i in inner)
                if any(isinstance(g.nodes[i].op, o.Assume) for i in inner):
                    waits.add(n.id)
                    alone = not picks or (not buffered and _waits_first(g, vis, n, locks))
                    plain.update([n.id] if alone else [])
                if picks:
                    chosen.add(n.id)
                if buffered:
                    continue
                if any(i in vis.writes and vis.cells_of(g.nodes[i]) & asked for i in inner):
                    acts.add(n.id)
                if any(i in vis.kept for i in inner):
                    touches.add(n.id)
                    acts.update([n.id] if picks else [])
    after = {n.id: n.next for n in g.nodes}
    settled = _along(after, chosen, cls, set())
    touches |= {i for i in vis.kept if not g.nodes[i].atomic}
    acts |= touches & settled
    for i in _along(before, waits, cls, acts) & acts | _along(before, plain, cls, shut) & shut:
        cls[i] = VISIBLE


def _waits_first(g: Graph, vis: Visibility, n: Node, shut: dict[str, bool]) -> bool:
    """Whether the region that begins at ``n`` may wait for what none of its choices decides.

    :param shut: what is known of locks: whether no frame of their CPU finds them taken
    """
    todo, seen = list(n.next), set()
    loads: dict[str, str] = {}
    while todo:
        i = todo.pop()
        m = g.nodes[i]
        if i in seen or not m.atomic or isinstance(m.op, o.Choose):
            continue
        seen.add(i)
        if isinstance(m.op, o.Load | o.Assign):
            loads.pop(m.op.dst, None)
        if isinstance(m.op, o.Load) and i in vis.here:
            loads[m.op.dst] = m.op.place.var
        if isinstance(m.op, o.Assume):
            match m.op.cond:
                case o.Un("not", o.Local(name)) if name in loads and not any(
                    vis.v.vars[loads[name]].init
                ):
                    lock = loads[name]
                    if lock not in shut:
                        shut[lock] = is_held_shut(g, lock, vis.here)
                    if not shut[lock]:
                        return True
                case _:
                    return True
        todo += m.next
    return False


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
        if starts or (not n.atomic and (_is_access(n.op) or isinstance(n.op, o.Assume | o.Choose))):
            out.add(n.id)
        else:
            todo += n.next
    return out


def _along(way: dict[int, list[int]], start: set[int], cls: list[int], stop: set[int]) -> set[int]:
    """What is met from ``start`` on within a step, up to and with what is in ``stop``."""
    out: set[int] = set()
    todo = list(start)
    while todo:
        for i in way.get(todo.pop(), []):
            if i not in out and cls[i] != VISIBLE:
                out.add(i)
                if i not in stop:
                    todo.append(i)
    return out


def _predecessors(g: Graph) -> dict[int, list[int]]:
    out: dict[int, list[int]] = {}
    for n in g.nodes:
        for m in n.next:
            out.setdefault(m, []).append(n.id)
    return out


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

"""Properties in a state: what each would say if it were asked there, and what decides."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..check.story import task_name
from ..ir import ops as o
from ..ir import types as ty
from ..lang.place import PINNED
from ..link.hooks import GIVEN, Property
from ..machine.flatten import Flattener
from ..machine.fuse import Fused
from ..machine.model import Machine
from ..machine.nodes import BEGINS, Graph
from ..run.interp import Interpreter, State
from .reads import Asked, Reader
from .space import Space

# What a property cannot be told by a state alone: it is of the place where it is asked.
OF_A_PLACE = ("preempt_count", "irqs_disabled", "in_irq")


@dataclass(frozen=True, slots=True)
class Truth:
    """What a property says of a state, asked on one CPU for the vCPU of the task that it runs.

    :param cpu: -1 for a property of the whole state
    :param about: ``T0, v0``, or ""
    """

    cpu: int
    about: str
    asked: Asked


class Oracle:
    """Asks properties of states in which the program itself does not ask them."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.known = {p.name: p for p in space.m.program.properties if not p.applies}
        self._rooms: dict[str, _Room | None] = {}

    def ask(self, name: str, s: State) -> list[Truth]:
        """The truth of property ``name`` in ``s``, per CPU where it is asked of one; nothing where
        that means nothing: no vCPU's thread is there, or its place decides.
        """
        room = self._room(name)
        if room is None:
            return []
        p, space = self.known[name], self.space
        if p.kind == "stuck" and not space.interp.is_stuck(space.steps(s)):
            return []
        if p.kind in ("always", "stuck"):
            return [Truth(-1, "", a) for a in room.ask(s, 0, 0, ())[:1]]
        out = []
        for cpu in range(space.m.cpus):
            task = space.task_on(s, cpu)
            vcpu = space.vcpu_of(s, task)
            args = _arguments(p, space.m, cpu, task, vcpu)
            if args is None:
                continue
            about = task_name(task, space.users) + (f", v{vcpu}" if vcpu >= 0 else "")
            out += [Truth(cpu, about, a) for a in room.ask(s, cpu, task + 1, args)[:1]]
        return out

    def warm(self) -> None:
        """Make every property's text ready, for each CPU's and task's sake, so that no step waits
        for it."""
        m, s = self.space.m, self.space.initial
        for name, p in self.known.items():
            room = self._room(name)
            if room is None:
                continue
            for task in range(m.tasks):
                for cpu in range(m.cpus):
                    args = _arguments(p, m, cpu, task, self.space.vcpu_of(s, task))
                    if args is not None:
                        room.ask(s, cpu, task + 1, args)

    def _room(self, name: str) -> _Room | None:
        if name not in self._rooms:
            p = self.known.get(name)
            room = None
            if p is not None and p.fn is not None and not set(_leaves(self, p)) & set(OF_A_PLACE):
                room = _Room(self.space.m, p)
            self._rooms[name] = room
        return self._rooms[name]


def _leaves(oracle: Oracle, p: Property) -> list[str]:
    """What of the running context the text of ``p`` reads."""
    assert p.fn is not None
    fns = _reached(oracle.space.m, p.fn)
    ops = [op for f in fns.values() for b in f.blocks for op in b.ops]
    ops = [op for op in ops if not (isinstance(op, o.Check) and op.prop == PINNED)]
    return [
        x.name for op in ops for e in o.exprs_of(op) for x in o.walk(e) if isinstance(x, o.Leaf)
    ]


def _reached(m: Machine, fn: o.Function) -> dict[str, o.Function]:
    """``fn`` and what it calls."""
    out: dict[str, o.Function] = {}
    todo = [fn]
    while todo:
        f = todo.pop()
        if f.name in out:
            continue
        out[f.name] = f
        for b in f.blocks:
            for op in b.ops:
                if isinstance(op, o.Call) and op.fn in m.program.functions:
                    todo.append(m.program.functions[op.fn])
    return out


def _arguments(
    p: Property, m: Machine, cpu: int, task: int, vcpu: int
) -> tuple[o.Const, ...] | None:
    """What stands for the parameters: this CPU, its task and its vCPU; None where nothing does."""
    assert p.fn is not None
    out = []
    for name, t in p.fn.params:
        per = m.program.decls.structs[t.struct].per if isinstance(t, ty.Ptr) else ""
        if name == GIVEN[1]:
            value = int(any(q.startswith("at_entry") for q in p.points))
        elif name in GIVEN:
            return None
        elif isinstance(t, ty.CpuId):
            value = cpu
        elif per == "vcpu" and vcpu >= 0:
            value = vcpu + 1
        elif per == "task" and name != "next":
            value = task + 1
        else:
            return None
        out.append(o.Const(value))
    return tuple(out)


class _Room:
    """One property as a graph of its own, per list of arguments."""

    def __init__(self, m: Machine, p: Property) -> None:
        assert p.fn is not None
        self.m, self.p, self.fn = m, p, p.fn
        self.fns = _reached(m, p.fn)
        self._made: dict[tuple[o.Const, ...], tuple[Reader, int] | None] = {}

    def ask(self, s: State, cpu: int, cur: int, args: tuple[o.Const, ...]) -> list[Asked]:
        """What it says; of several ways through free choices, one that fails before the others."""
        if args not in self._made:
            self._made[args] = self._make(args)
        made = self._made[args]
        if made is None:
            return []
        reader, entry = made
        out: list[Asked] = []
        for choices, nodes in reader.interp.ways(s, entry, cpu, cur):
            out += reader.asked(list(s), {}, cpu, cur, nodes, choices, self.p.name)[-1:]
        return sorted(out, key=lambda a: a.holds)

    def _make(self, args: tuple[o.Const, ...]) -> tuple[Reader, int] | None:
        """The graph, unless it reads what no state keeps."""
        flat = Flattener(self.m.program, self.fns)
        entry = flat.condition(self.fn.name, args)
        graph = Graph(flat.nodes, flat.entries, {k: [] for k in BEGINS}, set())
        used = {n.op.place.var for n in flat.nodes if isinstance(n.op, o.Load | o.Store | o.Fresh)}
        if used - set(self.m.var_at) - set(self.m.constants):
            return None
        locals_ = {dst for n in flat.nodes if (dst := getattr(n.op, "dst", ""))}
        values = replace(self.m.values, needed_locals=locals_, needed_vars=set(self.m.values.vars))
        fused = Fused([0] * len(flat.nodes), {k: [] for k in BEGINS}, {}, set())
        alone = replace(self.m, graph=graph, values=values, fused=fused)
        return Reader(alone, Interpreter(alone)), entry

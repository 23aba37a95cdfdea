"""The accesses of a path to memory: who, where, what value, and when a store became visible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ..base.source import Span
from ..ir import ops as o
from ..machine.forget import base_of
from ..machine.model import Machine
from ..machine.nodes import DRAIN, End, FlatOp, Node
from ..machine.tso import is_buffer, slot_of
from ..machine.values import is_switch
from ..run.interp import Action, Fault, Interpreter, State
from .story import is_early, task_name

READ, WRITE, FENCE = "read", "write", "fence"
Cell = tuple[str, int]
Locals = dict[str, int]


@dataclass(slots=True, eq=False)
class Access:
    """One access, or what orders those of its CPU.

    :param at: when it was issued
    :param who: ``T0``, ``irq``, ``idle0``
    :param cell: the variable and its element
    :param value: what is read or written
    :param mark: of an access, as in the IR; of a fence, its kind: mb, locked, rmb, wmb, irq, switch
    :param region: the accesses of one instruction, or under one lock, have the same; 0: of none
    :param seen: when memory has it: of two writes to a cell, the first is the smaller
    :param source: the write whose value a read found; None: what was there at the beginning
    """

    kind: str
    cpu: int
    at: int
    who: str
    function: str
    span: Span
    mark: str = ""
    cell: Cell = ("", 0)
    value: int = 0
    region: int = 0
    seen: int = 0
    source: Access | None = None


@dataclass(slots=True)
class Accesses:
    """Those of a path, in the order in which they were issued, and what memory had before it.

    :param weak: an atomic that returns nothing orders nothing there
    """

    rows: list[Access] = field(default_factory=list)
    weak: bool = False
    before: dict[Cell, int] = field(default_factory=dict)

    def writes(self, cell: Cell) -> list[Access]:
        """The writes to a cell, in the order in which they became visible."""
        mine = [a for a in self.rows if a.kind == WRITE and a.cell == cell]
        return sorted(mine, key=lambda a: a.seen)


def accesses_of(m: Machine, path: Sequence[Action]) -> Accesses:
    """Follow ``path`` and return its accesses; a store that waits to its end becomes visible then.

    :param m: with every barrier on its paths, see `build_machine`
    """
    follower = _Follower(m)
    for action in path:
        follower.step(action)
    follower.end()
    return follower.out


class _Follower:
    def __init__(self, m: Machine) -> None:
        self.m, self.interp = m, Interpreter(m)
        self.out = Accesses()
        self.was, self.made, self.within = {}, set[int](), False
        if m.buffers is not None:
            self.was, self.made = m.buffers.was, m.buffers.made
            self.out.weak = m.buffers.weak
        self.hooks = {h.name for hooks in m.program.hooks.values() for h in hooks}
        self.state: State = m.initial
        self.now = self.region = 0
        self.waiting: list[list[Access]] = [[] for _ in range(m.cpus)]
        self.last: dict[Cell, Access] = {}
        self.overwritten: list[dict[Cell, Access | None]] = [{} for _ in range(m.cpus)]

    def step(self, action: Action) -> None:
        """Follow one action."""
        step = next(x for x in self.interp.steps(self.state) if x.action == action)
        if action.kind == DRAIN:
            self._show(action.cpu, slot_of(action.start))
        else:
            if action.kind == "irq" and action.start:
                self._note(action, self.m.graph.nodes[step.nodes[0]], FENCE, "irq")
            with suppress(Fault):
                for row in self._along(action, step.nodes):
                    self._take(action, *row)
        self.state = step.state or self.state

    def end(self) -> None:
        """What still waits becomes visible."""
        for cpu, row in enumerate(self.waiting):
            while row:
                self._show(cpu)

    def _along(
        self, action: Action, nodes: Sequence[int]
    ) -> Iterable[tuple[Node, FlatOp, list[int], Locals]]:
        """The nodes of a step, each with what it does, and the state and locals before it."""
        for i, st, loc in self.interp.along(self.state, action, nodes):
            node = self.m.graph.nodes[i]
            op = self.was.get(i, node.op)
            known = self.interp.ops[i] is not None or i in self.was
            known = known or not isinstance(op, o.Load | o.Store)
            if known and self.hooks.isdisjoint(node.stack):
                yield node, op, st, loc

    def _take(self, action: Action, n: Node, op: FlatOp, st: list[int], loc: Locals) -> None:
        """Note what one node does."""
        if isinstance(op, o.Atomic):
            self.region += op.on
            self.within = op.on and n.id not in self.made
        elif isinstance(op, o.Barrier):
            self._note(action, n, FENCE, op.kind)
        elif isinstance(op, End) and n.kind == "irq":
            self._note(action, n, FENCE, "irq")
        elif is_switch(op):
            self._note(action, n, FENCE, "switch")
        elif isinstance(op, o.Load | o.Store) and self._is_memory(op.place.var):
            cpu, cur, var = action.cpu, action.task + 1, op.place.var
            cell = var, self.interp.element(op.place, st, loc, cpu, cur)
            if isinstance(op, o.Load):
                a = self._note(action, n, READ, op.mark, cell)
                if n.id in self.was and is_early(self.m, n.id):
                    a.source = self.overwritten[cpu].get(cell)
                    place = n.op.place  # type: ignore[union-attr]
                    old = place.var, self.interp.element(place, st, loc, cpu, cur)
                    a.value = self._value(old, st)
                else:
                    self._read(a, st)
                self.out.before.setdefault(cell, self._value(cell, self.m.initial))
            else:
                a = self._note(action, n, WRITE, op.mark, cell)
                a.value = self.interp.value(op.expr, st, loc, cpu, cur)
                if n.id in self.was:
                    self.waiting[cpu].append(a)
                else:
                    self._memory_has(a)

    def _is_memory(self, var: str) -> bool:
        """Neither a register, nor what a property notes, nor a part of the buffers."""
        ours = base_of(var) == var and not is_buffer(var) and not self.m.values.vars[var].ghost
        return ours and not var.startswith("hw_")

    def _note(self, action: Action, n: Node, kind: str, mark: str, cell: Cell = ("", 0)) -> Access:
        """A new row."""
        users = len(self.m.program.scenario.tasks)
        who = "irq" if action.kind == "irq" else task_name(action.task, users)
        self.now += 1
        out = Access(kind, action.cpu, self.now, who, n.stack[-1], n.op.span, mark, cell)
        out.region = self.region if n.atomic and self.within else 0
        self.out.rows.append(out)
        return out

    def _read(self, a: Access, st: list[int]) -> None:
        """What ``a`` finds: the newest store of its CPU's buffer, else what memory has."""
        own = [w for w in self.waiting[a.cpu] if w.cell == a.cell]
        a.source = own[-1] if own else self.last.get(a.cell)
        a.value = own[-1].value if own else self._value(a.cell, st)

    def _value(self, cell: Cell, st: Sequence[int]) -> int:
        var, i = cell
        return st[self.m.var_at[var] + i] if var in self.m.var_at else self.m.constants[var][i]

    def _show(self, cpu: int, slot: int = 0) -> None:
        """A store of a CPU's buffer becomes visible: the oldest, if no other."""
        if self.waiting[cpu]:
            self._memory_has(self.waiting[cpu].pop(slot))

    def _memory_has(self, a: Access) -> None:
        self.now += 1
        a.seen = self.now
        self.out.before.setdefault(a.cell, self._value(a.cell, self.m.initial))
        last = self.last.get(a.cell)
        if a.value != (last.value if last is not None else self.out.before[a.cell]):
            for cpu in range(self.m.cpus):
                if cpu != a.cpu:
                    self.overwritten[cpu][a.cell] = last
        self.last[a.cell] = a

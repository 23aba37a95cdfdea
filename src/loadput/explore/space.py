"""A machine to step by hand: the moves that a state allows, in the interpreter's order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ..base.source import Span
from ..check.story import Change, StoryStep, Teller, show_value, task_name
from ..ir import ops as o
from ..ir.types import VOID, Ptr
from ..machine.model import Machine
from ..machine.nodes import FRAMES
from ..run.interp import Action, Interpreter, State, Step
from .reads import Asked, Reader

KEEP = 20_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One context: where it is, and what may come there.

    :param kind: ``main``, ``sched`` (the scheduler in the task's name) or ``irq``
    :param stack: the functions that it is in, outermost first
    :param span: the operation that comes next
    """

    kind: str
    stack: tuple[str, ...]
    span: Span
    irqs_off: bool
    depth: int


@dataclass(frozen=True, slots=True)
class Move:
    """One possible step, as told.

    :param choices: what was free in it, where that tells it from the other moves of its context
    :param asked: the properties that it asks
    """

    index: int
    step: Step
    told: StoryStep
    choices: tuple[str, ...]
    asked: tuple[Asked, ...]

    @property
    def action(self) -> Action:
        return self.step.action

    @property
    def state(self) -> State | None:
        """The state after it; None where execution cannot go on."""
        return self.step.state

    @property
    def changes(self) -> tuple[Change, ...]:
        return self.told.changes


class Space:
    """What can be seen of a machine from any of its states; it remembers what it saw."""

    def __init__(self, m: Machine) -> None:
        self.m = m
        self.teller = Teller(m)
        self.interp: Interpreter = self.teller.interp
        self.reader = Reader(m, self.interp)
        self._moves: dict[State, list[Move]] = {}

    @property
    def initial(self) -> State:
        return self.m.initial

    @cached_property
    def users(self) -> int:
        """Tasks that are not idle."""
        return len(self.m.program.scenario.tasks)

    def steps(self, s: State) -> list[Step]:
        """The interpreter's steps, untold: for searches."""
        return list(self.interp.steps(s))

    def moves(self, s: State) -> list[Move]:
        """Every step that ``s`` allows, told."""
        if s not in self._moves:
            if len(self._moves) >= KEEP:
                self._moves.clear()
            steps = self.steps(s)
            free = [self.free(x) for x in steps]
            self._moves[s] = [
                self._tell(s, i, x, self._telling(i, steps, free)) for i, x in enumerate(steps)
            ]
        return self._moves[s]

    def _tell(self, s: State, i: int, x: Step, choices: tuple[str, ...]) -> Move:
        told = self.teller.tell(s, x.action, x.state, x.nodes, x.violated)
        a = x.action
        asked = self.reader.asked(
            list(s), self.locals_at(s, a, x.nodes[0]), a.cpu, a.task + 1, x.nodes, a.choices
        )
        return Move(i, x, told, choices, tuple(asked))

    def locals_at(self, s: State, a: Action, node: int) -> dict[str, int]:
        """The registers of the frame that ``a`` moves, by the names that they have at ``node``."""
        if a.start:
            return {}
        inst = a.cpu if a.kind == "irq" else a.task
        n, base = self.m.pc_step[a.kind], self.m.reg_at[a.kind]
        return {name: s[base + r * n + inst] for name, r in self.m.regs[node]}

    def free(self, x: Step) -> list[tuple[str, str]]:
        """The free choices of a step: whose they are, and the value as text."""
        out = []
        left = iter(x.action.choices)
        for i in x.nodes:
            node = self.m.graph.nodes[i]
            if isinstance(node.op, o.Choose):
                value = next(left, None)
                if value is None:
                    break
                out.append(self._free_one(node.op, node.stack, value))
        return out

    def _free_one(self, op: o.Choose, stack: tuple[str, ...], value: int) -> tuple[str, str]:
        local = op.dst.partition(":")[2]
        fn = self.m.program.functions.get(stack[-1])
        t = fn.type_of(local) if fn is not None else VOID
        if local.startswith(".") and fn is not None and not isinstance(t, Ptr):
            t = fn.ret if t == VOID or isinstance(fn.ret, Ptr) else t
        lo, hi = (e if isinstance(e, o.Const) else o.Const(0) for e in (op.lo, op.hi))
        text = show_value(t, value, self.users) if t != VOID else str(value)
        if lo.name and hi.name:
            text = self._constant(lo.name, hi.name, value) or text
        elif (lo.value, hi.value) == (0, 1) and text in ("0", "1"):
            text = ("no", "yes")[value]
        name = stack[-1] + ("" if local.startswith(".") else f" {local}")
        return (op.why or name, text)

    def _constant(self, lo: str, hi: str, value: int) -> str:
        """The constant of that value among those that are called alike, or ""."""
        prefix = lo.partition("_")[0] + "_"
        known = self.m.program.decls.consts.items() if hi.startswith(prefix) else ()
        return next((n for n, v in known if v == value and n.startswith(prefix)), "")

    def _telling(
        self, i: int, steps: Sequence[Step], free: Sequence[list[tuple[str, str]]]
    ) -> tuple[str, ...]:
        """Those of the choices of step ``i`` in which another of its context differs."""
        a = steps[i].action
        alike = [
            k
            for k, x in enumerate(steps)
            if (x.action.cpu, x.action.kind, x.action.start) == (a.cpu, a.kind, a.start)
        ]
        out = []
        for n, (name, value) in enumerate(free[i]):
            others = {free[k][n] if n < len(free[k]) else None for k in alike}
            if len(others) > 1:
                out.append(f"{name}: {value}")
        return tuple(out)

    # where everybody is

    def frames(self, s: State, cpu: int) -> list[Frame]:
        """The contexts on ``cpu``, the running one first."""
        task = s[self.interp.cur_at + cpu] - 1
        return [f for k in reversed(FRAMES) if (f := self.frame(s, k, cpu if k == "irq" else task))]

    def frame(self, s: State, kind: str, inst: int) -> Frame | None:
        """Where frame ``kind`` of a CPU or task goes on; None where it is not active."""
        pc = s[self.m.pc_at[kind] + inst]
        if not pc:
            return None
        n = self.m.graph.nodes[self.m.node_of(kind, pc)]
        return Frame(kind, n.stack, n.op.span, n.irqs_off, n.depth)

    def task_on(self, s: State, cpu: int) -> int:
        """The task that is current there."""
        return s[self.interp.cur_at + cpu] - 1

    def name(self, task: int) -> str:
        return task_name(task, self.users)

    def value(self, s: State, var: str, i: int, default: int = 0) -> int:
        """Element ``i`` of a variable, be it part of the state or fixed."""
        if var in self.m.var_at:
            return s[self.m.var_at[var] + i]
        fixed = self.m.constants.get(var)
        return fixed[i] if fixed is not None and i < len(fixed) else default

    def vcpu_of(self, s: State, task: int) -> int:
        """The vCPU whose thread ``task`` is; -1 where it is none's."""
        return self.value(s, "task_struct.vcpu", task) - 1

    # going

    def follow(self, indices: Sequence[int]) -> list[State]:
        """The states along a schedule, the initial one first: as far as its steps exist."""
        out = [self.initial]
        for i in indices:
            steps = self.steps(out[-1]) if out[-1] not in self._moves else None
            moves = [m.step for m in self._moves[out[-1]]] if steps is None else steps
            if not 0 <= i < len(moves):
                break
            after = moves[i].state
            if after is None:
                break
            out.append(after)
        return out

    def indices(self, path: Sequence[Action]) -> list[int]:
        """The schedule of a path of actions, as far as its steps exist."""
        out: list[int] = []
        s = self.initial
        for action in path:
            steps = self.steps(s)
            at = next((i for i, x in enumerate(steps) if x.action == action), None)
            if at is None:
                break
            out.append(at)
            after = steps[at].state
            if after is None:
                break
            s = after
        return out

    def violated_by(self, s: State) -> list[str]:
        """The properties of states that ``s`` violates."""
        mask = self.interp.violated_by(s, self.interp.is_stuck(self.steps(s)))
        return [n for k, n in enumerate(self.m.props) if mask >> k & 1]

    def walk(self, s: State, *, seed: int, steps: int) -> list[int]:
        """A random schedule from ``s``, of steps that change something; ends at a violation."""
        rng, out = random.Random(seed), []
        for _ in range(steps):
            options = [(i, x) for i, x in enumerate(self.steps(s)) if x.state != s]
            if not options:
                break
            i, x = rng.choice(options)
            out.append(i)
            if x.state is None or x.violated:
                break
            s = x.state
        return out

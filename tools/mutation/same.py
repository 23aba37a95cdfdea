"""Whether a mutant does the same as the program, by what memory goes through or what is read.

The reachable states of both are compared: they are *equivalent* where each state of one has one of
the other from which the same can follow (stuttering bisimulation, sensitive to states without a
next step and to endless steps in which nothing happens). What happens is told in two ways, and a
mutant is equivalent that is so in one of them:

- by memory: states that match have the same values in every variable, those of properties included;
  steps that change none are left aside.
- by reading: steps that match read the same: which statement of the code or of a property, which
  cell, which value; steps that read nothing are left aside. What a variable has while nobody looks
  is not compared: a register that is not cleared, but always written before the next look, or two
  stores that change places where nobody can look in between.

Where a task stands in its code is not compared. Most need none of this: where no step that comes to
the damage has another outcome, the states and steps are the program's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from loadput.ir import ops as o
from loadput.machine.model import Machine
from loadput.run.interp import Begun, Interpreter, State, Step

from .joint import WHO, asks, choose

MOST = 9_000
"""States of a program up to which its behaviour is compared."""
READS = "reads"
"""Beside the locals of a step, which have no such name: what it has read."""


@dataclass(slots=True)
class Behaviour:
    """What is told of each reachable state, and its steps; the first state is the initial one.

    :param told: the values of all variables; by reading, what properties of states read there
    :param after: per step what is told of it (None: nothing) and the state that it leads to
    """

    told: list[object]
    after: list[list[tuple[object, int]]]


class _State(tuple[int, ...]):
    """A state, and what was read on the way to it."""

    reads: frozenset[object] | None


class _Reader(Interpreter):
    """Notes in each state that a step leads to what the step has read."""

    def _load(self, op: o.Load) -> Callable[..., None]:
        load, at = super()._load(op), self._element(op.place)
        var, where = op.place.var, str(op.span)
        if var in self.m.constants or var == WHO:
            return load

        def noted(st: list[int], loc: dict[str, Any], cpu: int, cur: int) -> None:
            i = at(st, loc, cpu, cur)  # before the load, which may write what it is found by
            load(st, loc, cpu, cur)
            loc[READS] = loc.get(READS, frozenset()) | {(where, var, i, loc[op.dst])}

        return noted

    def _leave(self, st: list[int], loc: dict[str, Any], node: int, kind: str, inst: int) -> State:
        s = _State(super()._leave(st, loc, node, kind, inst))
        s.reads = loc.get(READS)
        return s

    def asked(self, s: State, *, stuck: bool) -> frozenset[object]:
        """What properties of states read in ``s``."""
        out: list[Any] = []
        for kind, entry in self.conditions:
            if kind == "always" or stuck:
                self._run(list(s), {}, entry, 0, 0, kind, 0, out)
        return frozenset().union(*(x[1].reads or () for x in out))


def explore_all(m: Machine, number: int, most: int, *, by_reading: bool) -> Behaviour | None:
    """Every reachable state and step of ``m`` as that mutant; None where there are more states."""
    choose(m, number)
    it = _Reader(m) if by_reading else Interpreter(m)
    states, index = [m.initial], {m.initial: 0}
    after: list[list[tuple[object, int]]] = []
    told: list[object] = []
    for s in states:
        row: dict[tuple[object, int], None] = {}
        steps = list(it.steps(s))
        for step in steps:
            new = step.state
            if new is None:
                return None
            if new not in index:
                if len(states) >= most:
                    return None
                index[new] = len(states)
                states.append(new)
            row[getattr(new, "reads", None), index[new]] = None
        after.append(list(row))
        if isinstance(it, _Reader):
            told.append(it.asked(s, stuck=it.is_stuck(steps)))
    return Behaviour(told or list(_project(m, states)), after)


class _Noting(Interpreter):
    """Notes which mutants the program's steps are asked about on the way."""

    def __init__(self, m: Machine) -> None:
        super().__init__(m)
        self.passed: set[int] = set()
        for n in m.graph.nodes:
            if (k := asks(n.op)) is not None:
                self.ops[n.id] = self._noted(n.op, k)

    def _noted(self, op: Any, k: int) -> Callable[..., Any]:
        cond = self._expr(op.cond)

        def noted(st: list[int], loc: dict[str, Any], cpu: int, cur: int) -> int:
            self.passed.add(k)
            return cond(st, loc, cpu, cur)

        return noted


class Own:
    """The program's own steps that come to a mutant's damage, or wait there, with their outcomes.

    :ivar of: per mutant; None where the program has more than ``most`` states
    """

    def __init__(self, m: Machine, most: int) -> None:
        choose(m, 0)
        self.it = _Noting(m)
        self.of: dict[int, list[tuple[Begun, set[object]]]] | None = {}
        if WHO not in m.var_at:
            return  # no step comes to any damage
        self.who = m.var_at[WHO]
        states, seen = [m.initial], {m.initial}
        for s in states:
            for new in self._follow(s):
                if new is None or (new not in seen and len(states) >= most):
                    self.of = None
                    return
                if new not in seen:
                    seen.add(new)
                    states.append(new)

    def _follow(self, s: State) -> Iterator[State | None]:
        assert self.of is not None
        for begun in self.it.begun(s):
            self.it.passed.clear()
            got = list(self.it.outcomes(*begun))
            for k in self.it.passed:
                self.of.setdefault(k, []).append((begun, self._outcomes(got)))
            yield from (x.state for x in got)

    def _outcomes(self, steps: Iterable[Step]) -> set[object]:
        who = self.who
        return {
            (x.state and (*x.state[:who], *x.state[who + 1 :]), x.violated, x.waits) for x in steps
        }

    def are_all_of(self, number: int) -> bool:
        """Whether the damage changes the outcome of none: the mutant has the very same states."""
        return self.of is not None and all(
            self._outcomes(self.it.outcomes((*s[: self.who], number, *s[self.who + 1 :]), *rest))
            == was
            for (s, *rest), was in self.of.get(number, ())
        )


def _project(m: Machine, states: Iterable[State]) -> list[tuple[int, ...]]:
    """The variables of each state, but for which mutant it is."""
    end, who = min(m.pc_at.values()), m.var_at.get(WHO)
    if who is None:
        return [s[:end] for s in states]
    return [(*s[:who], *s[who + 1 : end]) for s in states]


def is_equivalent(a: Behaviour, b: Behaviour) -> bool:
    """Whether the two behaviours, of one machine, told in one way, are stuttering bisimilar."""
    n = len(a.after)
    after = [*a.after, *([(t, n + i) for t, i in row] for row in b.after)]
    block = _number((x, not row) for x, row in zip([*a.told, *b.told], after, strict=True))
    endless: list[bool] | None = None
    while block[0] == block[n]:
        new = _refine(block, after, endless)
        if max(new) > max(block):
            block = new
        elif endless is None:
            endless = _endless(block, after)
        else:
            return True
    return False


def _number(keys: Iterable[object]) -> list[int]:
    seen: dict[object, int] = {}
    return [seen.setdefault(k, len(seen)) for k in keys]


Steps = Sequence[Sequence[tuple[object, int]]]


def _refine(block: Sequence[int], after: Steps, endless: Sequence[bool] | None) -> list[int]:
    """Split blocks by the steps of which something is told, or out of them, that can be reached by
    others within.
    """
    out: list[set[tuple[object, int]]] = []
    before: list[list[int]] = [[] for _ in after]
    for i, row in enumerate(after):
        out.append({(t, block[j]) for t, j in row if t is not None or block[j] != block[i]})
        for t, j in row:
            if t is None and block[i] == block[j] and i != j:
                before[j].append(i)
    todo = deque(i for i, s in enumerate(out) if s)
    while todo:
        j = todo.popleft()
        for i in before[j]:
            if not out[j] <= out[i]:
                out[i] |= out[j]
                todo.append(i)
    never = endless or [False] * len(block)
    return _number(zip(block, map(frozenset, out), never, strict=True))


def _endless(block: Sequence[int], after: Steps) -> list[bool]:
    """Per state, whether such steps can go on for ever without leaving its block."""
    inner = [
        [j for t, j in row if t is None and block[j] == block[i]] for i, row in enumerate(after)
    ]
    before: list[list[int]] = [[] for _ in after]
    left = [len(row) for row in inner]
    for i, row in enumerate(inner):
        for j in row:
            before[j].append(i)
    todo = [i for i, k in enumerate(left) if k == 0]
    for j in todo:
        for i in before[j]:
            left[i] -= 1
            if left[i] == 0:
                todo.append(i)
    return [k > 0 for k in left]

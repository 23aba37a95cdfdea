"""Whether a mutant does the same as the program, by what its memory goes through.

The reachable states of both are compared: they are *equivalent* where each state of one has one of
the other with the same values in every variable, and what can follow is the same, steps that change
no variable left aside (stuttering bisimulation, sensitive to states without a next step and to
endless steps that change nothing). Where a task stands in its code is not compared; every variable
of the machine is, those of properties included.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadput.machine.model import Machine
from loadput.run.interp import Interpreter, State

from .joint import WHO, choose

MOST = 6_000
"""States of a program up to which its behaviour is compared."""


@dataclass(slots=True)
class Behaviour:
    """What the variables are in each reachable state, and its successors; the first is initial."""

    memory: list[tuple[int, ...]]
    after: list[list[int]]


def explore_all(m: Machine, number: int, most: int) -> Behaviour | None:
    """Every reachable state and step of ``m`` as that mutant; None where there are more states."""
    choose(m, number)
    it = Interpreter(m)
    states, index = [m.initial], {m.initial: 0}
    after: list[list[int]] = []
    for s in states:
        row: dict[int, None] = {}
        for step in it.steps(s):
            new = step.state
            if new is None:
                return None
            if new not in index:
                if len(states) >= most:
                    return None
                index[new] = len(states)
                states.append(new)
            row[index[new]] = None
        after.append(list(row))
    return Behaviour(_project(m, states), after)


def _project(m: Machine, states: Iterable[State]) -> list[tuple[int, ...]]:
    """The variables of each state, but for which mutant it is."""
    end, who = min(m.pc_at.values()), m.var_at.get(WHO)
    if who is None:
        return [s[:end] for s in states]
    return [(*s[:who], *s[who + 1 : end]) for s in states]


def is_equivalent(a: Behaviour, b: Behaviour) -> bool:
    """Whether the two behaviours, of one machine, are stuttering bisimilar."""
    n = len(a.after)
    after = [*a.after, *([n + i for i in row] for row in b.after)]
    block = _number((x, not row) for x, row in zip([*a.memory, *b.memory], after, strict=True))
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


def _refine(
    block: Sequence[int], after: Sequence[Sequence[int]], endless: Sequence[bool] | None
) -> list[int]:
    """Split blocks by what one step out of them, after steps within, can reach."""
    out = [{block[j] for j in row if block[j] != block[i]} for i, row in enumerate(after)]
    before: list[list[int]] = [[] for _ in after]
    for i, row in enumerate(after):
        for j in row:
            if block[i] == block[j] and i != j:
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


def _endless(block: Sequence[int], after: Sequence[Sequence[int]]) -> list[bool]:
    """Per state, whether steps can go on for ever without leaving its block."""
    inner = [[j for j in row if block[j] == block[i]] for i, row in enumerate(after)]
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

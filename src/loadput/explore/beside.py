"""Two programs on one schedule: the other does what it can of the same, and where they part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..check.story import value_text, variable_name
from ..machine.forget import is_shadow
from ..run.interp import State, Step
from .reads import text_of
from .space import Space

FEW = 8
LATE = 12

Place = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """One step of the first program, and what the other one did with it.

    :param steps: the other's moves, none where it has nothing to do here
    :param state: its state then
    :param how: ``same`` place, ``behind`` (it comes there later or not at all), or ``parted``
    :param why: of ``parted``: what the other one cannot do
    :param differs: name, value here, value there
    """

    steps: tuple[int, ...]
    state: State
    how: str
    why: str
    differs: tuple[tuple[str, str, str], ...]


class Beside:
    """Takes ``other`` along a schedule of ``space``."""

    def __init__(self, space: Space, other: Space) -> None:
        self.a, self.b = space, other
        names_b = _slots(other)
        self.shared = [(n, k, names_b[n]) for n, k in _slots(space).items() if n in names_b]

    def along(self, indices: Sequence[int]) -> list[Pair]:
        """One pair per step; nothing after they have parted for good."""
        out: list[Pair] = []
        sa, sb = self.a.initial, self.b.initial
        owed: dict[tuple[int, str, int], list[tuple[str, str]]] = {}
        late: dict[tuple[int, str, int], int] = {}
        for i in indices:
            steps = self.a.steps(sa)
            if not 0 <= i < len(steps):
                break
            x = steps[i]
            if x.state is None:
                break
            who = (x.action.cpu if x.action.kind == "irq" else -1, x.action.kind, x.action.task)
            owed.setdefault(who, []).extend(self.a.free(x))
            taken = self._catch_up(x, x.state, sb, owed[who])
            how, why = "same", ""
            if taken is None:
                late[who] = late.get(who, 0) + 1
                how = "behind"
                if x.action.start and not self._can_begin(sb, x):
                    how, why = "parted", f"{x.action.start} cannot begin there"
                elif late[who] > LATE:
                    how, why = "parted", f"it is no more at {_place(self.a, x.state, x)[0][1]}()"
                taken = ((), sb)
            else:
                late[who], owed[who] = 0, []
            path, sb = taken
            out.append(Pair(path, sb, how, why, self._differs(x.state, sb)))
            if how == "parted":
                break
            sa = x.state
        return out

    def _catch_up(
        self, x: Step, after: State, sb: State, owed: Sequence[tuple[str, str]]
    ) -> tuple[tuple[int, ...], State] | None:
        """The fewest moves of the same context that bring the other to the same place."""
        want, a = _place(self.a, after, x), x.action
        level: list[tuple[tuple[int, ...], State, tuple[tuple[str, str], ...]]]
        level = [((), sb, tuple(owed))]
        seen = {sb}
        for depth in range(FEW):
            reached = []
            for path, s, left in level:
                for i, y in enumerate(self.b.steps(s)):
                    b = y.action
                    if (b.cpu, b.kind, b.task) != (a.cpu, a.kind, a.task) or y.state is None:
                        continue
                    if b.start != (a.start if depth == 0 else ""):
                        continue
                    rest = _agree(self.b.free(y), left)
                    if rest is None:
                        continue
                    if _place(self.b, y.state, x) == want:
                        return (*path, i), y.state
                    if y.state in seen:
                        continue
                    seen.add(y.state)
                    reached.append(((*path, i), y.state, rest))
            level = reached
        return None

    def _can_begin(self, sb: State, x: Step) -> bool:
        a = x.action
        return any(
            y.action.cpu == a.cpu and y.action.start == a.start and y.state is not None
            for y in self.b.steps(sb)
        )

    def _differs(self, sa: State, sb: State) -> tuple[tuple[str, str, str], ...]:
        out = []
        for name, (var, ka), (other, kb) in self.shared:
            here, there = (
                value_text(self.a.m, var, sa[ka]),
                value_text(self.b.m, other, sb[kb]),
            )
            if here != there:
                out.append((name, here, there))
        return tuple(out)


def _slots(space: Space) -> dict[str, tuple[str, int]]:
    m = space.m
    return {
        variable_name(m, var, i): (var, at + i)
        for var, at in m.var_at.items()
        if not is_shadow(var)
        for i in range(m.values.vars[var].count * m.values.vars[var].length)
    }


def _place(space: Space, s: State, x: Step) -> Place:
    """Where the context of a step is: its frames, each with its function and what comes next."""
    a = x.action
    kinds = ("irq",) if a.kind == "irq" else ("sched", "main")
    frames = [space.frame(s, k, a.cpu if k == "irq" else a.task) for k in kinds]
    out = tuple((f.kind, f.stack[-1], text_of(f.span)) for f in frames if f is not None)
    current = space.name(space.task_on(s, a.cpu))
    return (*out, ("cpu", current, ""))


def _agree(
    free: Sequence[tuple[str, str]], left: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...] | None:
    """What is left of the first program's choices once the other has made ``free`` of them; None
    where it has chosen otherwise. What the first never had to choose is free.
    """
    rest = list(left)
    for name, value in free:
        same = [k for k, (n, _) in enumerate(rest) if n == name]
        if not same:
            continue
        if rest[same[0]][1] != value:
            return None
        del rest[same[0]]
    return tuple(rest)

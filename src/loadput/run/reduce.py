"""What a search may leave out: the plan that both engines follow, and paths through what is left.

docs/reductions.md says what the reductions are and why they keep every verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..base.errors import InternalError
from ..machine.ample import find_ample
from ..machine.model import Machine
from ..machine.symmetry import Renaming, find_symmetry
from .interp import Action, Interpreter, State


@dataclass(frozen=True, slots=True)
class Reduce:
    """Which reductions are wanted."""

    symmetry: bool = False
    por: bool = False


NOTHING = Reduce()
USUAL = Reduce(symmetry=True)
"""What pays: fusing leaves the partial order little to save."""


@dataclass(slots=True)
class Reduction:
    """What became of the reductions that were wanted.

    :param orbit: how many states at most count as one; 1 without symmetry
    :param points: control points at which a CPU may be taken alone
    :param ample: states at which one was
    :param refused: why a reduction that was wanted is not in
    """

    orbit: int = 1
    points: int = 0
    ample: int = 0
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to leave out of the search of one machine.

    :param alone: per (CPU, task), the nodes at which the CPU may be taken alone
    :param renamings: of states, other than the identity; a group with it
    """

    wanted: Reduce = NOTHING
    alone: Mapping[tuple[int, int], frozenset[int]] = field(default_factory=dict)
    renamings: tuple[Renaming, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        """Whether anything is left out."""
        return bool(self.renamings) or any(self.alone.values())

    def rename(self, s: State) -> State:
        """The least of the states that count as one with ``s``."""
        return min((s, *(r.apply(s) for r in self.renamings)))

    def orbit(self, s: State) -> Iterable[State]:
        """Every state that counts as one with ``s``, itself first."""
        return (s, *(r.apply(s) for r in self.renamings))

    def report(self, ample: int) -> Reduction | None:
        """What became of what was wanted; None where nothing was."""
        if self.wanted == NOTHING:
            return None
        points = len(set().union(*self.alone.values()))
        return Reduction(len(self.renamings) + 1, points, ample, list(self.refused))


def make_plan(m: Machine, wanted: Reduce) -> Plan:
    """Return what may be left out of a search of ``m``."""
    alone: dict[tuple[int, int], frozenset[int]] = {}
    refused: list[str] = []
    renamings: tuple[Renaming, ...] = ()
    if wanted.symmetry:
        symmetry = find_symmetry(m)
        renamings = symmetry.renamings
        refused += [f"symmetry: {why}" for why in symmetry.refused]
    if wanted.por:
        alone = found = dict(find_ample(m).alone)
        for r in renamings:
            # What is interchangeable is taken alone at the same points.
            alone = {
                (c, t): points & found.get((r.cpus[c], r.tasks[t]), frozenset())
                for (c, t), points in alone.items()
            }
        if not any(alone.values()):
            refused.append("partial order: no step stands for every order of the others")
    return Plan(wanted, alone, renamings, tuple(refused))


def walk_back(
    it: Interpreter, plan: Plan, found: Sequence[State], prop: str, kind: int
) -> list[Action]:
    """The actions along ``found``, each of which counts as one with a state of the path.

    :param kind: 0 where a step from the last state violates ``prop``, 1 where the state does
    """
    bit = 1 << it.m.props.index(prop)
    states = [it.m.initial]
    for want in found[1:]:
        least = plan.rename(want)
        options = (x.state for x in it.steps(states[-1]) if x.state is not None)
        new = next((s for s in options if plan.rename(s) == least), None)
        if new is None:
            raise InternalError("LP0900", f"no step of the interpreter leads on to {prop}")
        states.append(new)
    if kind == 1:
        for r in (None, *plan.renamings):
            way = [r.apply(s) for s in states] if r else states
            stuck = it.is_stuck(it.steps(way[-1]))
            if it.violated_by(way[-1], stuck) & bit:
                states = way
                break
        else:
            raise InternalError("LP0900", f"no state of the path violates {prop}")
    out = [next(x.action for x in it.steps(a) if x.state == b) for a, b in pairwise(states)]
    if kind == 0:
        last = next((x.action for x in it.steps(states[-1]) if x.violated & bit), None)
        if last is None:
            raise InternalError("LP0900", f"no step of the interpreter violates {prop}")
        out.append(last)
    return out

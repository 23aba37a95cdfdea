"""From a choice of program to what is explored: the machine, the one beside it, their titles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..base.errors import InputError, LoadputError
from ..check.verdict import HOLDS, VIOLATED, Result
from ..link.overlay import get_broken, get_overlay
from ..link.program import Choice, link
from ..link.scenario import Scenario
from ..machine.model import Machine, build_machine
from ..run.interp import Action
from .kernel import KernelText
from .schedule import parse_schedule, program_key
from .space import Space
from .subject import Subject


def make_space(choice: Choice, scenario: Scenario, *, fusing: bool = True) -> Space:
    """The program to step through. Nothing is forgotten in it: a value that nobody reads any more
    is shown all the same.
    """
    return Space(build_machine(link(replace(choice, reduce=False), scenario), fusing=fusing))


def usual_neighbour(choice: Choice) -> Choice | None:
    """What a program is compared with where nobody says: without its twin, or the release's own
    design; None for that one.
    """
    if choice.twin:
        return replace(choice, twin="")
    own = get_overlay("release", choice.release, *choice.search).design or "D"
    return replace(choice, design="") if choice.design not in ("", own) else None


def prepare(
    choice: Choice,
    scenario: Scenario,
    *,
    command: str = "",
    replay: str = "",
    beside: Choice | None = None,
    tree: Path | None = None,
    fusing: bool = True,
) -> Subject:
    """A program ready to be explored, with ``beside`` (or its usual neighbour) at its side."""
    space = make_space(choice, scenario, fusing=fusing)
    other = beside or usual_neighbour(choice)
    there, there_title, there_name = None, "", ""
    if other is not None:
        try:
            there = make_space(other, scenario, fusing=fusing)
            there_name = _short(choice, other)
            there_title = there_name if other.release == choice.release else other.title
        except LoadputError:
            if beside is not None:
                raise
    kernel = KernelText(tree) if tree is not None else None
    return Subject(
        space, choice.title, command, replay, there, there_title, there_name, kernel=kernel
    )


def _short(choice: Choice, other: Choice) -> str:
    """What tells ``other`` from ``choice``, in a word or two."""
    if choice.twin and not other.twin and choice.design == other.design:
        broken = get_broken(choice.twin, *choice.search)
        return "the fixed one" if broken.kind == "museum" else "the one without the twin"
    if other.release != choice.release:
        return other.release
    own = get_overlay("release", other.release, *other.search).design or "D"
    return f"design {other.design or own}"


def learn(subject: Subject, result: Result, names: tuple[str, ...] = ()) -> Subject:
    """The subject with the counterexamples of ``result``; one on the program as it was checked,
    where they cannot be followed in the one that forgets nothing.
    """
    subject.learn(result, names)
    wanted = [p for p in result.properties if p.verdict == VIOLATED and p.name in (names or p.name)]
    if wanted and not subject.runs:
        s = subject
        subject = Subject(
            Space(result.machine), s.title, s.command, s.replay, s.beside, s.beside_title,
            s.beside_name, kernel=s.kernel,
        )  # fmt: skip
        subject.learn(result, names)
    subject.title = headline(subject, result)
    return subject


def headline(subject: Subject, result: Result) -> str:
    """The page's title: what was found, in a line."""
    if subject.runs:
        run = subject.runs[0]
        return f"{run.property} is violated after {len(run.steps)} steps"
    if result.verdict == HOLDS:
        return f"{result.program}: every property holds, {result.states:,} states"
    return f"{result.program}: {result.verdict}"


def find_actions(
    choice: Choice, scenario: Scenario, schedule: str, *, fusing: bool = True
) -> tuple[Machine, list[Action], list[str]]:
    """The actions of a schedule that a page wrote, and what the last of them violates; of the
    program that forgets nothing, or of the one that was checked.

    :raises InputError: LP0530, no schedule, another program's, or one that goes no further
    """
    spaces = [make_space(choice, scenario, fusing=fusing)]
    if program_key(spaces[0].m) != schedule.partition(".")[0]:
        spaces.append(Space(build_machine(link(choice, scenario), fusing=fusing)))
    space = spaces[-1] if program_key(spaces[-1].m) == schedule.partition(".")[0] else spaces[0]
    indices = parse_schedule(space.m, schedule)
    out: list[Action] = []
    bad: list[str] = []
    s = space.initial
    for k, i in enumerate(indices):
        steps = space.steps(s)
        if i >= len(steps):
            raise InputError(
                "LP0530",
                f"step {k + 1} of the schedule does not exist",
                got=f"move {i}",
                expected=f"one of {len(steps)} moves",
            )
        x = steps[i]
        out.append(x.action)
        bad = [n for j, n in enumerate(space.m.props) if x.violated >> j & 1]
        if x.state is None:
            break
        s = x.state
        bad += [n for n in space.violated_by(s) if n not in bad]
    return space.m, out, bad

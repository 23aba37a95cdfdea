"""The museum: real bugs that were fixed, each as the overlay that takes its fix out."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..base.errors import LoadputError
from ..link.overlay import SPEC, find_overlays, get_overlay
from ..link.program import Choice
from ..link.scenario import Scenario, load_scenario
from .story import StoryStep
from .verdict import HOLDS, VIOLATED, PropertyResult, Result

PUBLISHED, ANOTHER = "the published schedule", "another way to the same damage"


@dataclass(frozen=True, slots=True)
class Entry:
    """One bug.

    :param unconfirmed: what of ``commits`` and ``subject`` was not found in public material
    :param released: where its fix appeared
    :param schedule: who and which function, in the order in which the bug was described
    :param wrong: one sentence: what went wrong
    :param fix: one sentence: what the fix changed
    """

    id: str
    subject: str
    commits: tuple[str, ...]
    unconfirmed: str
    released: str
    arch: str
    scenario: str
    property: str
    schedule: tuple[str, ...]
    wrong: str
    fix: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry decided: the program before its fix, and ours, on the same scenario."""

    entry: Entry
    before: Result
    after: Result

    @property
    def finding(self) -> PropertyResult | None:
        """What ``before`` has on the entry's property; None where it is not violated."""
        p = self.before.find(self.entry.property)
        return p if p.verdict == VIOLATED else None

    @property
    def is_right(self) -> bool:
        """Found before, and nothing found after."""
        return self.finding is not None and self.after.verdict == HOLDS

    @property
    def way(self) -> str:
        """Whether the shortest counterexample passes what was described, in that order."""
        p = self.finding
        if p is None:
            return ""
        return PUBLISHED if passes(p.counterexample, self.entry.schedule) else ANOTHER


def passes(steps: Sequence[StoryStep], schedule: Sequence[str]) -> bool:
    """Whether ``steps`` have the places of ``schedule``, "T0 function", in their order."""
    left = list(schedule)
    for step in steps:
        while left:
            context, _, function = left[0].partition(" ")
            if context != step.context or function not in step.functions:
                break
            left.pop(0)
    return not left


@cache
def entries(*more: Path) -> dict[str, Entry]:
    """Every entry by id; those of the folders ``more`` too. LoadputError LP0509 for a wrong one."""
    return {n: _read(n, v.folder / "entry.toml") for n, v in find_overlays("museum", *more).items()}


def _read(name: str, file: Path) -> Entry:
    wanted = [f for f in Entry.__dataclass_fields__ if f != "id"]
    try:
        raw = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as e:
        raise LoadputError(
            "LP0509", f"museum entry {name}: {e}", expected=f"{file.name} with {', '.join(wanted)}"
        ) from None
    if set(raw) != set(wanted):
        missing = ", ".join(sorted(set(wanted) ^ set(raw)))
        raise LoadputError(
            "LP0509",
            f"museum entry {name}: missing or unknown: {missing}",
            expected=", ".join(wanted),
            next="docs/museum.md shows one",
        )
    made: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
    return Entry(name, **made)


def not_shown() -> dict[str, str]:
    """Bugs of this path that are known and not in the museum: id and reason."""
    rows: dict[str, str] = tomllib.loads((SPEC / "museum" / "not_shown.toml").read_text("utf-8"))
    return rows


def get_entry(name: str, *more: Path) -> Entry:
    """The entry ``name``; LoadputError LP0508 with what there is, or why it is not shown."""
    known = entries(*more)
    if name in known:
        return known[name]
    if name in not_shown():
        raise LoadputError("LP0508", f"{name} is not shown: {not_shown()[name]}")
    near = difflib.get_close_matches(name, known, 1)
    raise LoadputError(
        "LP0508",
        f"no museum entry '{name}'" + (f"; nearest: {near[0]}" if near else ""),
        available=", ".join(known),
    )


def show(
    wanted: Sequence[Entry],
    run: Callable[[Choice, Scenario], Result],
    *,
    at_once: int = 1,
    search: tuple[Path, ...] = (),
) -> list[Shown]:
    """Decide each entry before and after its fix, every property on.

    :param run: decides one program; called by ``at_once`` threads. A program that several entries
        need is decided once
    """
    befores = [
        (Choice(e.arch, get_overlay("museum", e.id, *search).parent, twin=e.id, search=search), e)
        for e in wanted
    ]
    jobs = {(c, e.scenario): None for b, e in befores for c in (b, _after(b))}
    with ThreadPoolExecutor(at_once) as pool:
        done = pool.map(lambda job: run(job[0], load_scenario(job[1])), jobs)
        found = dict(zip(jobs, done, strict=True))
    return [Shown(e, found[b, e.scenario], found[_after(b), e.scenario]) for b, e in befores]


def _after(before: Choice) -> Choice:
    return Choice(before.arch, before.design, search=before.search)

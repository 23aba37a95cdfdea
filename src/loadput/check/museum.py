"""The museum: real bugs that were fixed, each as the overlay that takes its fix out."""

from __future__ import annotations

import difflib
import multiprocessing
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from ..base.errors import Interrupted, LoadputError
from ..base.shown import html_table
from ..link.overlay import SPEC, find_overlays, get_overlay
from ..link.program import Choice
from ..link.scenario import Scenario, load_scenario
from .story import StoryStep
from .verdict import HOLDS, VIOLATED, PropertyResult, Result

OPTIONAL = ("release", "intermediate")
PUBLISHED, ANOTHER = "the published schedule", "another way to the same damage"


@dataclass(frozen=True, slots=True)
class State:
    """The tree between two fixes: one that left a bug, or brought the next.

    :param overlay: what it has in place of ours, a folder beside the entries' without entry.toml
    :param told: one sentence: which tree it is, and what of the bug it has
    :param verdict: what is expected of ``property`` there: "violated" or "holds"
    :param scenario: "" for the entry's; ``property`` alike
    """

    overlay: str
    told: str
    verdict: str
    scenario: str = ""
    property: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One bug.

    :param unconfirmed: what of ``commits`` and ``subject`` was not found in public material
    :param released: where its fix appeared
    :param scenario: a shipped one, or a TOML file in the entry's folder
    :param schedule: who and which function, in the order in which the bug was described
    :param wrong: one sentence: what went wrong
    :param fix: one sentence: what the fix changed
    :param release: the release that has the whole fix, v6.12 where none is named
    :param intermediate: the trees between its fixes, oldest first
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
    release: str = "v6.12"
    intermediate: tuple[State, ...] = ()


@dataclass(frozen=True, slots=True)
class Between:
    """One intermediate state decided, and ours on the same scenario."""

    state: State
    result: Result
    after: Result

    @property
    def finding(self) -> PropertyResult | None:
        """What it has on its property; None where that is not violated."""
        p = self.result.find(self.state.property)
        return p if p.verdict == VIOLATED else None

    @property
    def is_right(self) -> bool:
        """As expected, and nothing found after."""
        as_expected = self.finding is not None
        if self.state.verdict == HOLDS:
            as_expected = self.result.verdict == HOLDS
        return as_expected and self.after.verdict == HOLDS


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """One entry decided: the program before its fix, and ours, on the same scenario."""

    entry: Entry
    before: Result
    after: Result
    between: tuple[Between, ...] = ()

    def __repr__(self) -> str:
        steps = f"found after {self.finding.depth} steps" if self.finding else "not found"
        fixed = "holds" if self.is_clean(self.after) else "does not hold"
        return f"<museum {self.entry.id}: {self.entry.property} {steps}, {fixed} with its fix>"

    def rows(self) -> list[dict[str, Any]]:
        """A dict per program that was decided: tree, program, verdict, violated, states."""
        between = [(b.state.overlay, b.result) for b in self.between]
        trees = [("before", self.before), *between, ("after", self.after)]
        return [
            {
                "tree": name,
                "program": r.program,
                "verdict": r.verdict,
                "violated": ", ".join(r.violated),
                "states": r.states,
            }
            for name, r in trees
        ]

    def _repr_html_(self) -> str:
        """A notebook's form."""
        return html_table(repr(self), self.rows())

    @property
    def finding(self) -> PropertyResult | None:
        """What ``before`` has on the entry's property; None where it is not violated."""
        p = self.before.find(self.entry.property)
        return p if p.verdict == VIOLATED else None

    @property
    def is_right(self) -> bool:
        """Found before, nothing found after, and the states between as expected."""
        found = self.finding is not None and self.is_clean(self.after)
        return found and all(b.is_right for b in self.between)

    def is_clean(self, r: Result) -> bool:
        """Whether ``r`` has nothing but what the release that the bug is shown on has anyway."""
        own = set(self.before.violated) - {self.entry.property}
        return r.verdict == HOLDS or (r.verdict == VIOLATED and set(r.violated) <= own)

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
            if context != step.context or function not in step.runs:
                break
            left.pop(0)
    return not left


@cache
def entries(*more: Path) -> dict[str, Entry]:
    """Every entry by id; those of the folders ``more`` too. LoadputError LP0509 for a wrong one."""
    found = find_overlays("museum", *more)
    files = {n: v.folder / "entry.toml" for n, v in found.items()}
    known = {n: _read(n, f) for n, f in files.items() if f.is_file()}
    states = {s.overlay for e in known.values() for s in e.intermediate}
    for name in sorted({n for n in found if n not in known} ^ states):
        what = "no entry.toml, and no entry has it as intermediate"
        if name in states:
            what = "an entry's intermediate state is an overlay beside it, without an entry.toml"
        raise LoadputError(
            "LP0509", f"museum overlay {name}: {what}", next="docs/museum.md shows one"
        )
    return known


def _read(name: str, file: Path) -> Entry:
    fields = [f for f in Entry.__dataclass_fields__ if f != "id"]
    wanted = [f for f in fields if f not in OPTIONAL]
    try:
        raw = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as e:
        raise LoadputError(
            "LP0509", f"museum entry {name}: {e}", expected=f"{file.name} with {', '.join(wanted)}"
        ) from None
    if missing := ", ".join(sorted(set(wanted) ^ (set(raw) - set(OPTIONAL)))):
        raise LoadputError(
            "LP0509",
            f"museum entry {name}: missing or unknown: {missing}",
            expected=", ".join(wanted),
            next="docs/museum.md shows one",
        )
    made: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
    made["scenario"] = raw["scenario"] = _own(file.parent, made["scenario"])
    made["intermediate"] = tuple(_read_state(name, t, raw) for t in made.get("intermediate", ()))
    return Entry(name, **made)


def _own(folder: Path, scenario: str) -> str:
    """The file in the entry's folder, where it is one."""
    file = folder / scenario
    return str(file) if file.is_file() else scenario


def _scenario(named: str) -> Scenario:
    """A shipped one, or that of a file; one in an entry's folder is called after the entry."""
    found, folder = load_scenario(named), Path(named).parent
    if (folder / "entry.toml").is_file():
        return replace(found, name=f"{folder.name}/{Path(named).name}")
    return found


def _read_state(name: str, raw: dict[str, str], entry: dict[str, Any]) -> State:
    optional = {k: entry[k] for k in ("scenario", "property")}
    made = optional | raw
    if set(made) != set(State.__dataclass_fields__) or made["verdict"] not in (VIOLATED, HOLDS):
        raise LoadputError(
            "LP0509",
            f"museum entry {name}: intermediate: {', '.join(sorted(raw))}",
            expected="overlay, told, verdict (violated or holds); scenario and property if others",
            next="docs/museum.md shows one",
        )
    return State(**made)


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


_Job = tuple[Choice, Scenario]
_T = TypeVar("_T")
_J = TypeVar("_J")
_run_here: list[Callable[[Any], Any]] = []


def _do(job: Any) -> Any:
    return _run_here[-1](job)


def map_here(run: Callable[[_J], _T], jobs: Sequence[_J], at_once: int) -> list[_T]:
    """``run`` on each job, in ``at_once`` processes that have all that this one has. Building a
    machine is Python, of which a process runs one thread at a time.
    """
    _run_here.append(run)
    try:
        if at_once > 1 and "fork" in multiprocessing.get_all_start_methods():
            context = multiprocessing.get_context("fork")  # ``run`` goes along, it is not sent
            try:
                with ProcessPoolExecutor(at_once, context) as pool:
                    return list(pool.map(_do, jobs, chunksize=2))
            except BrokenProcessPool:  # one was killed: by the kernel, for its memory
                pass
        return [run(job) for job in jobs]
    finally:
        _run_here.pop()


def _decide_all(
    jobs: Sequence[_Job], run: Callable[[Choice, Scenario], Result], at_once: int
) -> list[Result | None]:
    """Each job's result; None where it was not begun."""

    def decide(job: _Job) -> Result | None:
        try:
            return run(*job)
        except Interrupted:
            return None

    return map_here(decide, jobs, at_once)


def show(
    wanted: Sequence[Entry],
    run: Callable[[Choice, Scenario], Result],
    *,
    at_once: int = 1,
    search: tuple[Path, ...] = (),
) -> list[Shown]:
    """Decide each entry before and after its fix, every property on.

    An entry's intermediate states are decided like it, each beside ours on its scenario.

    :param run: decides one program; called in ``at_once`` processes. A program that several entries
        need is decided once. Where it raises Interrupted, the entry is left out
    """

    def choice(e: Entry, overlay: str) -> Choice:
        design = get_overlay("museum", overlay, *search).parent
        return Choice(e.arch, design, e.release, overlay, search=search)

    def after(c: Choice) -> Choice:
        return replace(c, twin="")

    states = {e.id: [(e.id, e.scenario), *((s.overlay, s.scenario) for s in e.intermediate)]
              for e in wanted}  # fmt: skip
    befores = {e.id: [(choice(e, o), _scenario(s)) for o, s in states[e.id]] for e in wanted}
    pairs = [pair for rows in befores.values() for pair in rows]
    jobs = {job: None for c, s in pairs for job in ((c, s), (after(c), s))}
    found = dict(zip(jobs, _decide_all(list(jobs), run, at_once), strict=True))
    out = []
    for e in wanted:
        rows = [(found[c, s], found[after(c), s]) for c, s in befores[e.id]]
        whole = [(a, b) for a, b in rows if a is not None and b is not None]
        if len(whole) < len(rows):
            continue
        first, *rest = whole
        between = zip(e.intermediate, rest, strict=True)
        out.append(Shown(e, *first, tuple(Between(s, *r) for s, r in between)))
    return out

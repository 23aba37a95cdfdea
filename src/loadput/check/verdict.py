"""One program, one scenario, every property: the verdicts of one exploration."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, Protocol

from ..base.errors import Interrupted, LinkError, LoadputError
from ..ir import ops as o
from ..link.hooks import Property
from ..link.overlay import chain, find_overlays, get_overlay
from ..link.program import Choice, Program, link
from ..link.scenario import Expected, Scenario
from ..machine.built import Built
from ..machine.forget import DEAD_IS_READ
from ..machine.model import Machine, build_machine
from ..machine.tso import FULL_BUFFER, SC, TSO, WEAK
from ..run.exploration import Exploration, Known, Limits
from ..run.explore import explore
from ..run.interp import Action
from ..run.reduce import USUAL, Reduce
from .races import Race, find_races, lay_race_blame
from .story import StoryStep, Teller

HOLDS, VIOLATED, UNDECIDED, NOT_APPLICABLE = "holds", "violated", "not decided", "not applicable"
NOT_ASKED = "not asked"
"""Every state was seen, and none of the places where the property is asked was reached."""
NOTHING_FOUND = "nothing found"
"""Why a property is not decided under weak memory, of which only a part is looked at."""
IN_ORDER = "what is found needs no access out of order"
"""Why it is not decided there either: sequentially consistent memory decides. A property's look at
what is in a buffer yet may be all that is late.
"""
BLAME_NEW, BLAME_OPEN = "new with this change", "not decided before"
BLAME_OLD, BLAME_FIXED = "present before", "fixed by it"
BLAME_UNASKED = "not asked any more: its place is not reached"
BLAME_LESS = "asked of less than before"
BLAME_RESTS = "not decided: rests on what is not modelled"
Progress = Callable[[int, int, int, float], None]


@dataclass(slots=True)
class PropertyResult:
    """The verdict on one property; ``blame`` is "" without a base.

    :param ways: the ways through its own text that some state takes: of each test, which sides
    :param replaces: names of narrower ones whose place it has taken
    """

    name: str
    verdict: str
    depth: int | None = None
    path: tuple[Action, ...] = ()
    counterexample: list[StoryStep] = field(default_factory=list)
    blame: str = ""
    why: str = ""
    ways: frozenset[str] = frozenset()
    replaces: tuple[str, ...] = ()


@dataclass(slots=True, repr=False)
class Result:
    """What one check found, with everything a report says.

    :param remembers: what a @forget hook calls dead is read in this program, so that it was
        explored without any; ``choice`` says so too
    :param absent: the settings that it was decided with and no kernel of its release has there
    :param kept: it was not worked out now
    """

    program: str
    choice: Choice
    scenario: Scenario
    verdict: str
    properties: list[PropertyResult]
    states: int
    transitions: int
    depth: int
    stopped_by: str
    opaque_calls: dict[str, list[str]]
    inferred_fields: list[str]
    layers: list[str]
    exploration: Exploration
    built: Built
    seconds: float = 0.0
    races: list[Race] = field(default_factory=list)
    remembers: bool = False
    fusing: bool = True
    absent: list[tuple[str, int]] = field(default_factory=list)
    kept: bool = False

    @property
    def machine(self) -> Machine:
        """The machine that was explored."""
        return self.built.machine

    def __repr__(self) -> str:
        bad = f" {', '.join(self.violated)}" if self.violated else ""
        said = f"{self.verdict}{bad}, {self.states:,} states, depth {self.depth}"
        return f"<{self.program}, scenario {self.scenario.name}: {said}>"

    def rows(self) -> list[dict[str, Any]]:
        """A dict per property that was asked: name, verdict, depth (None where it holds), blame."""
        asked = [p for p in self.properties if p.verdict not in (NOT_APPLICABLE, NOT_ASKED)]
        keys = ("name", "verdict", "depth", "blame")
        return [{k: getattr(p, k) for k in keys} for p in asked]

    def _repr_html_(self) -> str:
        """A notebook's form: what was explored, and what does not hold; else how much holds."""
        bad = [p for p in self.properties if p.verdict in (VIOLATED, UNDECIDED)]
        held = sum(p.verdict == HOLDS for p in self.properties)
        told = [
            f"<tr><td>{escape(p.name)}</td><td>{p.verdict}</td>"
            f"<td>{f'{p.depth} steps' if p.depth is not None else ''}</td></tr>"
            for p in bad
        ]
        told.append(f"<tr><td>{held} properties</td><td>{HOLDS}</td><td></td></tr>")
        return f"<p><code>{escape(repr(self))}</code></p><table>{''.join(told)}</table>"

    def find(self, name: str) -> PropertyResult:
        """The result of property ``name``, or of the one that has taken its place."""
        return next(p for p in self.properties if name == p.name or name in p.replaces)

    @property
    def expected(self) -> Expected | None:
        """What the scenario's file expects of the shipped specification; None of other programs."""
        c = self.choice
        if c != Choice(c.arch):
            return None
        return self.scenario.expected_on(c.arch)

    @property
    def is_expected(self) -> bool:
        """Whether the verdict is, of the reported properties, what the scenario's file expects."""
        e = self.expected
        if e is None:
            return False
        asked = {p.name for p in self.properties}
        violates = asked & set(e.violates)
        undecided = self.verdict == UNDECIDED
        return violates == set(self.violated) and undecided == (e.verdict == UNDECIDED)

    @property
    def violated(self) -> list[str]:
        """The violated properties, by depth then name: the first one is the shortest."""
        bad = [p for p in self.properties if p.verdict == VIOLATED]
        return [p.name for p in sorted(bad, key=lambda p: (p.depth or 0, p.name))]


class Place(Protocol):
    """Where the result of one check is kept."""

    def find(self) -> Result | None:
        """The result, with every property and no blame; None where it is not there."""

    def keep(self, r: Result) -> None:
        """Keep ``r``, which has every property and no blame."""


class Keeper(Protocol):
    """Keeps results from one process to the next."""

    def at(self, built: Built, reduce: Reduce, limits: Limits) -> Place:
        """Where the result of that program, searched so, is kept."""


def check(
    choice: Choice,
    scenario: Scenario,
    *,
    properties: Sequence[str] = (),
    engine: str = "native",
    limits: Limits | None = None,
    fusing: bool = True,
    forgetting: bool = True,
    reduce: Reduce = USUAL,
    progress: Progress | None = None,
    base: Result | None = None,
    opaque: str = "any",
    known: Known | None = None,
    kept: Keeper | None = None,
) -> Result:
    """Decide every property of one program in one exploration.

    :param properties: report only these; all are explored. Unknown names raise LP0505
    :param forgetting: False: no value that a @forget hook calls dead is forgotten
    :param reduce: leave out what no verdict needs; docs/reductions.md
    :param opaque: what has no value in the model is ``any``, always the ``low`` or the ``high`` one
    :param known: searches that need not be run again
    :param kept: results of earlier processes, which need not be worked out again; this one is added
    :raises Interrupted: ``limits.interrupted`` is true before a state was seen
    :param base: the result of the program it is compared with: gives each finding its blame
    :return: the Result; ``verdict`` is ``violated`` if any reported property is, else
        ``not decided`` if a bound was hit, else ``holds``
    """
    begin = time.perf_counter()
    check_memory(choice)
    limits = limits or Limits()
    if limits.is_interrupted:
        raise Interrupted
    choice = choice if forgetting else replace(choice, reduce=False)
    built = Built(choice, scenario, opaque, fusing)
    # The interpreter defines what is right: it is asked itself.
    place = kept.at(built, reduce, limits) if kept and engine == "native" else None
    out = place.find() if place is not None else None
    if out is None:
        _known(built.program.properties, properties)
        search = partial(
            explore, engine=engine, limits=limits, progress=progress, reduce=reduce, known=known
        )
        out = _search(built, search, limits)
        if place is not None:
            place.keep(out)
    out.seconds = time.perf_counter() - begin
    _select(out, _known(out.properties, properties))
    if base is not None:
        lay_blame(out, base)
    return out


def _search(built: Built, search: Callable[[Machine], Exploration], limits: Limits) -> Result:
    """Every property of ``built``."""
    machine = built.machine
    if limits.is_interrupted:
        raise Interrupted
    ex = search(machine)
    asked, remembers = built, DEAD_IS_READ in ex.first
    if remembers:
        # What a @forget hook calls dead is not dead in this program: it is asked without them.
        choice = replace(built.choice, reduce=False)
        asked = Built(choice, built.scenario, built.opaque, built.fusing)
        ex = search(asked.machine)
    out = _made(asked, _watched(ex))
    out.remembers, out.fusing = remembers, built.fusing
    return out


def _watched(ex: Exploration) -> Exploration:
    """Not decided where some run needs a longer buffer than there is: what it does then was not
    seen.
    """
    if FULL_BUFFER not in ex.first:
        return ex
    first = {p: path for p, path in ex.first.items() if p != FULL_BUFFER}
    return replace(ex, finished=False, stopped_by="store buffer", first=first)


def _select(r: Result, names: Sequence[str]) -> None:
    """Leave only the properties of these names, where there are any."""
    if names:
        r.properties = [p for p in r.properties if p.name in names]
        r.verdict = worst(r.properties, r.choice.memory)


def _without_buffers(m: Machine) -> Machine:
    """The machine in which each access is where the program has it."""
    p = m.program
    sc = replace(p.choice, memory=SC)
    return m if p.choice.memory == SC else build_machine(link(sc, p.scenario))


def check_memory(choice: Choice) -> None:
    """Raise LinkError LP0409 where the architecture's memory is not so."""
    if choice.memory in memories_of(choice.arch, choice.search):
        return
    archs = [n for n, v in find_overlays("arch", *choice.search).items() if not v.abstract]
    has = [n for n in sorted(archs) if choice.memory in memories_of(n, choice.search)]
    mine = " or ".join(memories_of(choice.arch, choice.search))
    raise LinkError(
        "LP0409",
        f"the memory of {choice.arch} is not {choice.memory}",
        expected=f"{mine}; {choice.memory} is for {', '.join(has) or 'no architecture'}",
        next="docs/memory.md says what each means",
    )


def memories_of(arch: str, search: tuple[Path, ...] = ()) -> tuple[str, str]:
    """The memory models that an architecture may be asked under."""
    return SC, TSO if has_tso(arch, search) else WEAK


def has_tso(arch: str, search: tuple[Path, ...] = ()) -> bool:
    """Whether the architecture's memory is TSO."""
    return any(v.memory == TSO for v in chain(get_overlay("arch", arch, *search), *search))


def _made(built: Built, ex: Exploration) -> Result:
    program, machine = built.program, built.machine
    teller = Teller(machine)
    asked = _asked(machine, ex)
    results = [_result(p, ex, teller, asked.get(p.name)) for p in program.properties]
    if program.choice.memory == WEAK:
        _found_only(results, machine)
    return Result(
        program.choice.title,
        program.choice,
        program.scenario,
        worst(results, program.choice.memory),
        results,
        ex.states,
        ex.transitions,
        ex.depth,
        ex.stopped_by,
        program.opaque,
        [f"{f.name}: {f.type}" for f in program.decls.inferred],
        program.layers,
        ex,
        built,
        races=find_races(_without_buffers(machine)),
        absent=_absent(program),
    )


def _found_only(results: Sequence[PropertyResult], m: Machine) -> None:
    """Leave *violated* where the accesses on the way are not sequentially consistent; nothing
    *holds*.
    """
    from .accesses import accesses_of
    from .cycle import find_circle

    for r in results:
        if r.verdict == HOLDS:
            r.verdict, r.why = UNDECIDED, NOTHING_FOUND
        elif r.verdict == VIOLATED and find_circle(accesses_of(m, r.path)) is None:
            r.verdict, r.why = UNDECIDED, IN_ORDER
            r.depth, r.path, r.counterexample = None, (), []


def _absent(p: Program) -> list[tuple[str, int]]:
    release = get_overlay("release", p.choice.release, *p.choice.search)
    said = [x for r in chain(release, *p.choice.search) for x in r.absent_on(p.choice.arch)]
    return [(n, x) for n, x in said if p.decls.consts.get(n) == x]


def worst(results: Sequence[PropertyResult], memory: str = SC) -> str:
    """The verdict over all of them: violated, not decided, or holds.

    :param memory: *weak* finds violations, and never says that something holds
    """
    verdicts = {r.verdict for r in results}
    least = UNDECIDED if memory == WEAK else HOLDS
    return next((v for v in (VIOLATED, UNDECIDED) if v in verdicts), least)


def _known(known: Sequence[Property | PropertyResult], names: Sequence[str]) -> list[str]:
    import difflib

    all_names = [p.name for p in known]
    now = {old: p.name for p in known for old in p.replaces}
    names = [now.get(n, n) for n in names]
    for n in names:
        if n not in all_names:
            near = difflib.get_close_matches(n, all_names, 1)
            raise LoadputError(
                "LP0505",
                f"no property '{n}'" + (f"; nearest: {near[0]}" if near else ""),
                available=", ".join(all_names),
                next="loadput explain NAME tells what each says",
            )
    return names


def _asked(machine: Machine, ex: Exploration) -> dict[str, set[str]]:
    """Of each property that some step has come to the place of, the ways through its text."""
    out: dict[str, set[str]] = {}
    text = {p.fn.name: p.name for p in machine.program.properties if p.fn is not None}
    for i in ex.nodes:
        n = machine.graph.nodes[i]
        if isinstance(n.op, o.Check):
            out.setdefault(n.op.prop, set())
        elif isinstance(n.op, o.Branch) and n.stack[-1] in text:
            sides = (side for side, j in zip("+-", n.next, strict=True) if j in ex.nodes)
            ways = out.setdefault(text[n.stack[-1]], set())
            ways.update(f"{n.op.span.line}:{n.op.span.col}{side}" for side in sides)
    return out


def _result(
    p: Property, ex: Exploration, teller: Teller, asked: Collection[str] | None
) -> PropertyResult:
    """Its verdict.

    :param asked: the ways through its text; None: its place was not reached
    """
    out = PropertyResult(p.name, HOLDS, replaces=p.replaces)
    path = ex.first.get(p.name)
    if p.applies:
        out.verdict, out.why = NOT_APPLICABLE, p.applies
    elif path is not None:
        out.verdict, out.depth, out.path = VIOLATED, len(path), tuple(path)
        out.counterexample = teller.follow_to(path, p.name)
    elif not ex.finished:
        out.verdict = UNDECIDED
    else:
        out.verdict = NOT_ASKED if asked is None and p.points else HOLDS
        out.ways = frozenset(asked or ())
    return out


def lay_blame(new: Result, base: Result) -> None:
    """Mark each finding: new with this change, present before, or fixed by it.

    What was asked before and is not any more, because its place is not reached, is not decided.
    """
    new.races = lay_race_blame(new.races, base.races)
    before = {p.name: p for p in base.properties}
    uncalled = {p.name for p in new.built.program.properties if p.uncalled}
    for p in new.properties:
        old = before.get(p.name)
        was = old.verdict if old is not None else NOT_APPLICABLE
        if p.verdict == VIOLATED:
            p.blame = BLAME_OLD if was == VIOLATED else BLAME_NEW
            if old is not None and was == UNDECIDED and old.why not in (NOTHING_FOUND, IN_ORDER):
                p.blame = BLAME_OPEN
        elif was in (HOLDS, VIOLATED) and (p.verdict == NOT_ASKED or p.name in uncalled):
            p.verdict, p.blame = UNDECIDED, BLAME_UNASKED
        elif was == VIOLATED and p.verdict == HOLDS:
            p.blame = BLAME_FIXED
        elif was == p.verdict == HOLDS and old is not None and old.ways - p.ways:
            p.blame = BLAME_LESS
    new.verdict = worst(new.properties, new.choice.memory)

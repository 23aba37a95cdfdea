"""One program decided in every way, property by property."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import partial

from loadput.base.errors import InternalError, LoadputError
from loadput.check.verdict import check
from loadput.link.program import Choice, Program, link
from loadput.link.scenario import Scenario
from loadput.machine.forget import DEAD_IS_READ
from loadput.machine.model import Machine, build_machine
from loadput.run.exploration import Exploration, Limits
from loadput.run.explore import explore
from loadput.run.reduce import NOTHING, USUAL, Reduce, make_plan

from . import spin

PLAIN = "unfused"
WAYS = {
    PLAIN: "every access a step, nothing left out, nothing forgotten",
    "default": "as `loadput check` decides",
    "por": "default with partial order",
    "fusing": "fusing alone",
    "forgetting": "forgetting alone",
    "symmetry": "symmetry alone",
    "order": "partial order alone",
    "interpreter": "default, and unfused, by the interpreter",
    "spin": "unfused, exported, by SPIN",
}
BOTH = Reduce(symmetry=True, por=True)
_SWITCHES = {
    PLAIN: (False, False, NOTHING),
    "por": (True, True, BOTH),
    "fusing": (False, True, NOTHING),
    "forgetting": (True, False, NOTHING),
    "symmetry": (False, False, Reduce(symmetry=True)),
    "order": (False, False, Reduce(por=True)),
}
"""Whether it forgets, whether it fuses, what it leaves out."""
MEMORY = 3 << 30


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a way ends without an answer, in states.

    :param most: of any search; ``single``: unfused ones up to which each switch is tried alone
    :param interp: of the interpreter; ``spin``: of SPIN, 0: not asked
    """

    most: int = 2_000_000
    single: int = 400_000
    interp: int = 8_000
    spin: int = 0


@dataclass(slots=True)
class Answer:
    """What one way says.

    :param whole: every state was seen, so that what is not violated holds
    """

    violated: list[str]
    whole: bool
    states: int = 0


@dataclass(slots=True)
class Row:
    """What is kept of a program.

    :param answers: per way that was tried, what it says
    :param disagree: per way, in words, how it differs from the unfused program
    :param error: why there is no program, or why it was decided in no way
    """

    states: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    disagree: dict[str, str] = field(default_factory=dict)
    properties: int = 0
    error: str = ""
    seconds: float = 0.0

    def compared(self, way: str) -> bool:
        """Whether ``way`` and the unfused program both saw every state."""
        a, plain = self.answers.get(way), self.answers.get(PLAIN)
        return bool(a and plain and a.whole and plain.whole)


class Ways:
    """The ways of one program; what they share is built once."""

    def __init__(self, choice: Choice, scenario: Scenario, bounds: Bounds) -> None:
        self.choice, self.scenario, self.bounds = choice, scenario, bounds
        self.programs: dict[bool, Program] = {}
        self.machines: dict[tuple[bool, bool], Machine] = {}
        self.limits = Limits(max_states=bounds.most, max_memory_bytes=MEMORY, threads=1)
        self.found: dict[str, tuple[Machine, Exploration, Reduce]] = {}

    def program(self, forget: bool) -> Program:
        """The linked program, with what is dead forgotten or not."""
        if forget not in self.programs:
            self.programs[forget] = link(replace(self.choice, reduce=forget), self.scenario)
        return self.programs[forget]

    def machine(self, forget: bool, fusing: bool) -> Machine:
        """Its machine."""
        key = forget and self.forgets, fusing
        if key not in self.machines:
            self.machines[key] = build_machine(self.program(key[0]), fusing=fusing)
        return self.machines[key]

    @property
    def forgets(self) -> bool:
        """Whether forgetting changes anything in this program."""
        return self.program(True).hooks != self.program(False).hooks

    def ask(self, way: str) -> Answer | None:
        """What ``way`` says; None where it is the same search as the unfused one."""
        if way == "default":
            return self._checked()
        forget, fusing, reduce = _SWITCHES[way]
        m = self.machine(forget, fusing)
        if way == "forgetting" and not self.forgets:
            return None
        if way in ("symmetry", "order") and not make_plan(m, reduce).works:
            return None
        x = explore(m, limits=self.limits, reduce=reduce)
        if DEAD_IS_READ in x.first:  # as `check` does: it is not dead, and is not forgotten
            m = self.machine(False, fusing)
            x = explore(m, limits=self.limits, reduce=reduce)
        self.found[way] = m, x, reduce
        return Answer(sorted(x.first), x.finished, x.states)

    def _checked(self) -> Answer:
        """As a user asks, the counterexamples told."""
        r = check(self.choice, self.scenario, limits=self.limits)
        self.found["default"] = r.machine, r.exploration, USUAL
        if r.machine.program.choice.reduce:
            self.machines[self.forgets, True] = r.machine
        return Answer(sorted(r.violated), r.exploration.finished, r.states)

    def by_interpreter(self, way: str) -> str:
        """How the interpreter's search differs from the native one of ``way``; "" if not at all."""
        m, x, reduce = self.found[way]
        y = explore(m, engine="interp", limits=self.limits, reduce=reduce)
        return ", ".join(
            f"{way}: {name} {getattr(x, name)} natively, {getattr(y, name)} interpreted"[:300]
            for name in ("states", "transitions", "depth", "first", "levels", "fired_at", "nodes")
            if getattr(x, name) != getattr(y, name)
        )


Ask = Callable[[], "Answer | None"]


def compare(
    choice: Choice, scenario: Scenario, bounds: Bounds, only: Collection[str] = WAYS
) -> Row:
    """Decide the program in each way that ``bounds`` allow.

    :param only: beside the unfused one, these ways
    """
    row, begin = Row(), time.monotonic()
    ways = Ways(choice, scenario, bounds)
    try:
        p = ways.program(True)
        row.properties = sum(not q.applies for q in p.properties)
        plain = ways.ask(PLAIN)
        assert plain is not None
    except InternalError as e:  # no fault of the program's
        row.disagree["engines"] = f"{e.code}: {e.what}"
        return row
    except LoadputError as e:
        row.error = f"{e.code}: {e.what}"
        return row
    row.answers[PLAIN], row.states = plain, plain.states
    for way in ("default", "por"):
        if way in only:
            _try(row, way, partial(ways.ask, way))
    if row.disagree or only != WAYS or (plain.whole and plain.states <= bounds.single):
        for way in ("fusing", "forgetting", "symmetry", "order"):
            if way in only:
                _try(row, way, partial(ways.ask, way))
    if "interpreter" in only:
        _try(row, "interpreter", lambda: _interpreted(row, ways))
    if "spin" in only and plain.whole and plain.states <= bounds.spin:
        _try(row, "spin", lambda: spin.ask(row, ways.machine(False, False)))
    row.seconds = round(time.monotonic() - begin, 2)
    return row


def _try(row: Row, way: str, ask: Ask) -> None:
    """Note what ``way`` says, and where that is not what the unfused program does."""
    try:
        a = ask()
    except LoadputError as e:
        row.disagree[way] = f"{e.code}: {e.what}"
        return
    except Exception as e:  # our bug, whichever it is, is what this is looking for
        row.disagree[way] = f"{type(e).__name__}: {e}"[:300]
        return
    if a is None:
        return
    row.answers[way] = a
    said = differs(row.answers[PLAIN], a)
    if said:
        row.disagree[way] = said


def differs(plain: Answer, a: Answer) -> str:
    """In words: a property that one finds violated and that holds for the other; "" if none is."""
    more = set(plain.violated) - set(a.violated) if a.whole else set()
    less = set(a.violated) - set(plain.violated) if plain.whole else set()
    out = [f"{p}: violated unfused, holds" for p in sorted(more)]
    return "; ".join(out + [f"{p}: holds unfused, violated" for p in sorted(less)])


def _interpreted(row: Row, ways: Ways) -> Answer | None:
    """Both searches again, by the interpreter, where they are small enough; every number counts."""
    asked = [
        w
        for w in (PLAIN, "default")
        if w in ways.found
        and ways.found[w][1].finished
        and ways.found[w][1].states <= ways.bounds.interp
    ]
    if not asked:
        return None
    said = "; ".join(filter(None, (ways.by_interpreter(w) for w in asked)))
    if said:
        row.disagree["interpreter"] = said
    _, x, _ = ways.found[asked[0]]
    # Of equal numbers and paths the verdicts are equal too: those of the ways themselves count.
    return Answer(row.answers[PLAIN].violated, True, x.states)

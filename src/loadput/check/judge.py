"""Judging a user's C: what it changes, and who is to blame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..base.errors import LinkError, LoadputError, TimeUp
from ..ir import ops as o
from ..lang.carry import CARRIED, Carried
from ..lang.carry import NOT_JUDGED as NOT_JUDGED_EDIT
from ..link.program import Choice, Program, link, specification
from ..link.scenario import Scenario, load_scenario
from ..machine.alike import graph_of
from ..machine.counters import COUNTED
from ..machine.tso import SC, TSO
from .bounds import FURTHER, SHALLOW
from .carried import Carriage, FunctionChange, carry
from .equiv import EQUAL, EQUIVALENT, MAX_INPUTS, Comparison, Equivalence
from .idle import idle_now, steps_of
from .scenes import (
    ALIKE,
    LARGE,
    OTHER,
    compare_in,
    may_order,
    orders_only,
    program_of,
    scenes_for,
)
from .taken import MISFIT, Taken
from .verdict import (
    BLAME_FIXED,
    BLAME_NEW,
    BLAME_OPEN,
    BLAME_RESTS,
    BLAME_UNASKED,
    NOT_ASKED,
    UNDECIDED,
    VIOLATED,
    PropertyResult,
    Result,
    has_tso,
    lay_blame,
)

STILL_CALLED = "LP0415"

NEW, MINDS_NOT, SAME = "violated", "no property minds", "changes nothing that is modelled"
NOT_JUDGED, OPEN = "not judged", "not decided"
TIME = "the time was up before it was decided"
ORDER = "a barrier changes; memory is sequentially consistent here"
Run = Callable[[Choice, Scenario, str, int | None], Result]


@dataclass(slots=True)
class Explored:
    """What one scenario says about the change.

    :param before: the result of the program without it; None where nothing had to be compared
    :param rests_on: per violated property, the values that are not modelled and that decide it
    :param late: asked beside the others, under the memory that the architecture has
    :param finds: it only looks for violations: where it ended says nothing of the verdict
    """

    result: Result
    before: Result | None = None
    rests_on: dict[str, list[str]] = field(default_factory=dict)
    late: bool = False
    finds: bool = False

    @property
    def idle(self) -> list[str]:
        """Functions that the program runs without the change, and no more with it."""
        return idle_now(self.result, self.before) if self.before is not None else []

    @property
    def verdict(self) -> str:
        """NEW, OPEN or MINDS_NOT."""
        found = self.result.properties
        if any(p.blame == BLAME_NEW for p in found):
            return NEW
        is_open = self.rests_on or any(p.verdict == UNDECIDED and not self.finds for p in found)
        return OPEN if is_open or any(p.blame == BLAME_OPEN for p in found) else MINDS_NOT


@dataclass(slots=True)
class Judgement:
    """What became of one patch on one architecture.

    :param verdict: NEW, MINDS_NOT, SAME, NOT_JUDGED or OPEN
    :param changes: its functions, each with what became of its edits
    :param explored: scenario by scenario; none where nothing had to be explored
    :param unused: functions that nothing calls here
    :param added: functions that the base does not have
    :param removed: functions that the base has and the patch takes out
    :param gone: struct fields that it takes out: what stood there is somewhere else, or nowhere
    :param waits: it only brings functions that nothing calls before a later patch of its series
    """

    patch: str
    arch: str
    verdict: str
    changes: list[FunctionChange]
    explored: list[Explored] = field(default_factory=list)
    equivalences: list[Equivalence] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    fixed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    gone: tuple[str, ...] = ()
    waits: bool = False

    @property
    def idle(self) -> list[str]:
        """Functions that a scenario's program runs without the change, and none's with it."""
        idle = sorted({n for x in self.explored for n in x.idle})
        left = set(self.removed).union(*(steps_of(x.result) for x in self.explored))
        return [n for n in idle if n not in left]

    @property
    def worst(self) -> Explored | None:
        """The scenario that says the worst of it; None where nothing was explored."""
        rank = (NEW, OPEN, MINDS_NOT).index
        return min(self.explored, key=lambda x: rank(x.verdict), default=None)

    @property
    def result(self) -> Result | None:
        """The result of the worst scenario."""
        return self.worst.result if self.worst else None

    @property
    def functions(self) -> list[str]:
        """The names of the functions that the patch changes."""
        return [f.name for f in self.changes]

    @property
    def assumed(self) -> list[str]:
        """The configuration that the bodies of the user's rest on."""
        user = self.result.choice.user if self.result else ()
        return list(dict.fromkeys(a for d in user for a in d.assumed))

    @property
    def exit_code(self) -> int:
        """0 nothing new, 1 a new violation, 4 not decided, or not all of it is judged."""
        whole = all(f.judged == f.edits for f in self.changes)
        return {NEW: 1, MINDS_NOT: 0 if whole else 4, SAME: 0}.get(self.verdict, 4)


Known = dict[str, Result]


def judge(
    taken: Taken,
    base: Choice,
    scenario: Scenario | None,
    *,
    run: Run,
    known: Known | None = None,
    label: str = "",
) -> tuple[Judgement, Choice, Known]:
    """Carry one patch over to ``base`` and decide both; each finding gets its blame.

    :param scenario: None: those that run what it changes, until one has a violation
    :param run: decides one choice in a scenario, with what is not modelled ``any``, ``low`` or
        ``high``, by no more than so many states
    :param known: per scenario the result of ``base``, where it is known
    :return: the judgement, the program with the patch, and per scenario its result
    :raises LoadputError: the patch does not link here
    """
    first = scenario or load_scenario(LARGE)
    removed = _removed(taken, base)
    got, program, removed = _without_lost(taken, base, first, label, removed)
    user = replace(got.choice, user_label=label, removed=removed)
    base, known = got.base, (known or {}) if got.base == base else {}
    out = Judgement(taken.patch.title, base.arch, NOT_JUDGED, got.functions)
    out.fixed, out.notes = taken.fixed, list(taken.notes)
    out.gone = taken.patch.near.gone
    out.notes += [
        f"{f.name}: what is under an #if of another configuration is not judged"
        for f in got.functions
        if f.outcomes and f.name in taken.arms
    ]
    for f in got.functions:
        if program is not None and f.whole and f.name not in program.functions:
            f.why = "nothing calls it here"
            out.unused.append(f.name)
    old = {d.name for d in taken.before}
    brings = bool(out.unused) and len(out.unused) == len(got.functions) and not removed
    out.waits = brings and old.isdisjoint(out.unused)
    if not got.changes and not user.removed:
        if not any(f.edits for f in got.functions):
            out.verdict = SAME
        return out, user, known or {}
    try:
        after = _ask(out, base, user, scenario, run, known)
        _ask_late(out, base, user, scenario, run)
    except TimeUp:
        out.notes.append(TIME)
        out.verdict = NEW if out.worst and out.worst.verdict == NEW else OPEN
        after = {}
    return out, user, after


def _ask(
    out: Judgement, base: Choice, user: Choice, scenario: Scenario | None, run: Run, known: Known
) -> Known:
    """Decide ``user`` beside ``base`` where they differ, into ``out``; return the results."""
    first = scenario or load_scenario(LARGE)
    whole = [f.name for f in out.changes if f.whole]
    edited = [c for f in out.changes for c in f.carried if c.changes]
    scenes, alike = [first], []
    if not whole and edited and scenario:
        how = compare_in(base, user, scenario, edited)
        scenes, alike = [first] * (how == OTHER), [first] * (how == ALIKE)
    elif not whole and not scenario:
        scenes, alike = scenes_for(base, user, edited)
    if alike and not scenes:
        unknown = any(f.unknown for f in out.changes)
        lost = unknown or bool(_left_out(link(user, alike[0]), user))
        out.verdict = OPEN if lost else MINDS_NOT
        out.notes.append(f"the same machine with and without it in scenario {alike[0].name}")
        if user.memory == SC and any(map(orders_only, edited)):
            out.notes.append(ORDER)
            if not has_tso(user.arch, user.search):
                out.verdict = OPEN
        return known
    if not scenes:
        where = f"scenario {scenario.name} does not run" if scenario else "no scenario runs"
        for f in out.changes:
            f.never_run(f"{where} what it changes, or it comes to nothing there")
        return known
    after = _explore(out, base, user, scenes, run, known, whole)
    out.removed = [n for n in user.removed if n in program_of(base, first).functions]
    _conclude(out, user, any(f.changes for f in out.changes if not f.whole))
    return after


def _ask_late(
    out: Judgement, base: Choice, user: Choice, scenario: Scenario | None, run: Run
) -> None:
    """Ask it again with the memory that the architecture has, where the change may order accesses.

    Where order is all that is changed, the verdict rests on that; else it is looked for violations.
    """
    if user.memory != SC or out.verdict == NEW or not has_tso(user.arch, user.search):
        return
    ours = specification(base)[0]
    edited = [c for f in out.changes for c in f.carried if c.changes]
    edited += [Carried(ours[d.name], d) for d in user.user if d.name in ours]
    if not any(map(may_order, edited)):
        return
    was, now = (replace(c, memory=TSO) for c in (base, user))
    if scenario is None:
        scenes = scenes_for(was, now, edited, marks=False)[0]
    else:
        other = scenario.cpus > 1 and compare_in(was, now, scenario, edited, marks=False) == OTHER
        scenes = [scenario] * other
    finds = not all(map(orders_only, edited))
    for s in (s for s in scenes if s.cpus > 1):
        x = Explored(run(now, s, "any", FURTHER), late=True, finds=finds)
        if not finds and x.result.stopped_by and not x.result.violated:
            x.result = run(now, s, "any", None)
        if x.result.violated:
            x.before = run(was, s, "any", FURTHER)
            _blame_late(x.result, x.before)
            _weigh(x, now, s, run, _beside(out, x.result))
        out.explored.append(x)
        if x.verdict == NEW or (x.verdict == OPEN and out.verdict != NEW):
            out.verdict = x.verdict
        if x.verdict == NEW:
            break


def _blame_late(after: Result, before: Result) -> None:
    """As `lay_blame`; where the base's search ended, new is what it has not in as many steps."""
    lay_blame(after, before)
    for p in after.properties:
        if p.blame == BLAME_OPEN and p.depth is not None and p.depth < before.depth:
            p.blame = BLAME_NEW


def _without_lost(
    taken: Taken, base: Choice, first: Scenario, label: str, removed: tuple[str, ...]
) -> tuple[Carriage, Program | None, tuple[str, ...]]:
    """As `_linking`, and what it takes out; nothing where something here still calls that."""
    try:
        return *_linking(taken, base, first, label, removed), removed
    except LoadputError as e:
        if e.code != STILL_CALLED:
            raise
        got, program = _linking(taken, base, first, label, ())
        why = f"it is taken out, and {(e.got or 'something').partition(' ')[0]} calls it here"
        lost = [n for n in removed if n not in got.explained]
        got.functions += [FunctionChange(n, "", taken.paths.get(n, ""), why=why) for n in lost]
        return got, program, ()


def _linking(
    taken: Taken, base: Choice, first: Scenario, label: str, removed: tuple[str, ...]
) -> tuple[Carriage, Program | None]:
    """The patch carried over, and its program, before any search: what does not link costs nothing.

    Functions that have no meaning with their edits are not judged.

    :raises LoadputError: of what is left, no function is to blame alone
    """

    def linked(got: Carriage) -> Program | None:
        if not got.changes and not removed:
            return None
        if got.base != base:
            link(got.base, first, asked=False)
        return link(replace(got.choice, user_label=label, removed=removed), first)

    got = carry(taken, base)
    try:
        return got, linked(got)
    except LoadputError as e:
        kept: set[str] = set()
        lost = {}
        for name in [f.name for f in got.functions if f.carried]:
            try:
                linked(carry(taken, base, only={*kept, name}))
                kept.add(name)
            except LoadputError as why:
                lost[name] = f"with this edit ours has no meaning: {why.what}"
        if not lost:
            raise e
    got = carry(taken, base, lost=lost)
    return got, linked(got)


def _explore(
    out: Judgement,
    base: Choice,
    user: Choice,
    scenes: Sequence[Scenario],
    run: Run,
    known: Known,
    whole: Sequence[str],
) -> Known:
    """Ask each scenario until one has a new violation; return the results."""
    results: Known = {}
    for s in scenes:
        after = run(user, s, "any", FURTHER if out.worst and out.worst.verdict == OPEN else None)
        results[s.name] = after
        before = known.get(s.name) or _before(base, s, after, run, alone=len(scenes) == 1)
        x = Explored(after, before)
        if before is not None:
            lay_blame(after, before)
            for p in after.properties:
                if p.name in _unwritten(after, base, s):
                    p.verdict, p.blame = UNDECIDED, BLAME_UNASKED
            beside = _beside(out, after)
            _weigh(x, user, s, run, beside)
            _weigh_fixed(x, beside if any(f.there for f in out.changes) else [])
            if whole and not out.equivalences:
                _compare(out, before, after, whole)
        out.explored.append(x)
        if x.verdict == NEW:
            break
    return results


def _before(base: Choice, s: Scenario, after: Result, run: Run, *, alone: bool) -> Result | None:
    """What the program without the change is held to have; None where nothing is to be compared.

    The large scenario is asked as far as it is needed: what violates a property there did so
    before, where the shortest paths of the base show it; where nothing is violated and every
    property is asked, the whole of the base has nothing to say.

    :param alone: no other scenario was asked
    """
    if s.name != LARGE:
        return run(base, s, "any", None)
    unasked = any(p.verdict == NOT_ASKED for p in after.properties) or bool(
        _uncalled(after.built.program) - _uncalled(program_of(base, s))
        or _unwritten(after, base, s)
    )
    if not unasked and not after.violated and not alone:
        return None
    before = run(base, s, "any", SHALLOW)
    if not before.stopped_by:
        return before
    return (
        run(base, s, "any", None)
        if unasked or set(after.violated) - set(before.violated)
        else before
    )


def _unwritten(after: Result, base: Choice, s: Scenario) -> set[str]:
    """Properties of a field that nothing writes any more."""
    lacks = {p.name for p in after.properties if p.why.startswith("nothing writes ")}
    return lacks & {p.name for p in program_of(base, s).properties if not p.applies}


def _uncalled(p: Program) -> set[str]:
    return {x.name for x in p.properties if x.uncalled}


def _compare(out: Judgement, before: Result, after: Result, whole: Sequence[str]) -> None:
    """What the functions that replace ours do otherwise."""
    comparison = Comparison(before.machine, after.machine, MAX_INPUTS)
    old, new = (r.built.program.functions for r in (before, after))
    out.equivalences = [comparison.compare(n) for n in whole if n in old and n in new]
    out.added = [n for n in whole if n in new and n not in old]


def _conclude(out: Judgement, user: Choice, carried: bool) -> None:
    """The verdict of all scenarios together."""
    worst = out.worst
    assert worst is not None
    out.verdict = worst.verdict
    lost = _left_out(worst.result.built.program, user)
    alike = all(e.verdict in (EQUAL, EQUIVALENT) for e in out.equivalences)
    if out.verdict == MINDS_NOT and (lost or any(f.unknown for f in out.changes)):
        out.verdict = OPEN
    elif out.verdict == MINDS_NOT and out.equivalences and alike:
        if not (out.added or out.removed or carried):
            out.verdict = SAME


def _removed(taken: Taken, base: Choice) -> tuple[str, ...]:
    new = {d.name for d in taken.defs}
    known = {d.name for d in taken.before}
    ours = specification(base)[0]
    gone = [n for n in taken.removed if n not in known and n in ours]
    return tuple(dict.fromkeys(n for n in (*base.removed, *gone) if n not in new))


def _beside(out: Judgement, after: Result) -> list[str]:
    """What a patch does besides that is not modelled, and may make up for what is.

    Of a function that the specification lacks, it is what it writes and the program reads.
    """
    besides: dict[str, None] = {}
    if any(e.verdict == CARRIED for f in out.changes for e in f.outcomes):
        lost = [e for f in out.changes for e in f.outcomes if e.verdict == NOT_JUDGED_EDIT]
        brought = (x for e in lost for x in e.edit.brings)
        besides |= dict.fromkeys(x for x in brought if not x.startswith(("WARN_", "KVM_BUG")))
    besides |= {x: None for f in out.changes for x in _ways(f)}
    if out.gone or any(f.sets for f in out.changes):
        functions = after.built.program.functions.values()
        ops = [op for fn in functions for b in fn.blocks for op in b.ops]
        read = {op.place.var for op in ops if isinstance(op, o.Load)}
        names = {var.rpartition(".")[2] for var in read}
        besides |= {f"{x} in {f.name}()": None for f in out.changes for x in f.sets if x in names}
        lacks = [x.rpartition(".")[2] for x in out.gone if x in read]
        besides |= {f"{x}, which it takes out": None for x in lacks}
    besides |= {f"the hunk of {f.name}()": None for f in out.changes if f.why == MISFIT}
    return list(besides)


def _ways(f: FunctionChange) -> list[str]:
    """What decides where ``f`` goes, and is another with the patch, but not with what of it is
    carried over: that alone may be half of a rewriting that does the same.
    """
    if not any(c.changes for c in f.carried):
        return []
    lost = [o.edit for o in f.outcomes if o.verdict == NOT_JUDGED_EDIT]
    return [f"'{e.way}' in {f.name}()" for e in lost if e.way]


def _weigh(x: Explored, user: Choice, s: Scenario, run: Run, beside: Sequence[str]) -> None:
    """A violation that a value outside the model may decide is not decided.

    It is new where its path asks for no such value, or all of them make the same machine.

    :param beside: what is outside the model and may do what the change takes out
    """
    fresh = [p for p in x.result.properties if p.blame in (BLAME_NEW, BLAME_OPEN)]
    program = x.result.built.program
    lost, values = [*_left_out(program, user), *beside], opaque_values(program, user)
    asks = [p for p in fresh if _asks(p)]
    if not fresh or not (lost or asks):
        return
    if asks and not lost:
        values = values or ["how often a loop goes round"]
        counted = [p for p in asks if _asks(p, COUNTED)]  # a count has no ends
        held, one = _at_the_ends(user, s, run) if len(counted) < len(asks) else ([], False)
        sure = [p for p in asks if one and all(h.get(p.name) == VIOLATED for h in held)]
        asks = [p for p in asks if p not in sure or p in counted]
    for p in fresh if lost else asks:
        x.rests_on[p.name] = lost or values
        p.blame = BLAME_RESTS


def _at_the_ends(user: Choice, s: Scenario, run: Run) -> tuple[list[dict[str, str]], bool]:
    """The verdicts with every value outside the model at either end; whether it is one machine."""
    try:
        ends = [run(user, s, how, None) for how in ("low", "high")]
        a, b = (graph_of(r.built.program)[0] for r in ends)
    except (TimeUp, LinkError):  # a loop that such a value ends has no end now
        return [], False
    return [{p.name: p.verdict for p in r.properties} for r in ends], a == b


def _weigh_fixed(x: Explored, beside: Sequence[str]) -> None:
    """Nor is it fixed, where a value outside the model decided it before, or what else was there.

    :param beside: calls and writes of the change that are not in the program without it either
    """
    before = {p.name: p for p in x.before.properties} if x.before else {}
    for p in x.result.properties:
        if p.blame == BLAME_FIXED and (beside or _asks(before[p.name])):
            p.blame = ""


def _asks(p: PropertyResult, why: str = "opaque ") -> bool:
    """Whether the counterexample asks for a value that is not modelled."""
    return any(w.startswith(why) for st in p.counterexample or () for w in st.choices)


def opaque_values(p: Program, user: Choice) -> list[str]:
    """What the functions of the user's read, and what they call, that has no value in the model."""
    mine = {d.name for d in user.user}
    found: dict[str, None] = {}
    for name, fn in p.functions.items():
        for b in fn.blocks if name in mine else ():
            for op in b.ops:
                if isinstance(op, o.Choose) and op.why.startswith("opaque "):
                    found[op.why.removeprefix("opaque ")] = None
                elif isinstance(op, o.Call) and op.dst and op.fn not in p.functions:
                    found[f"{op.fn}()"] = None
    return list(found)


def _left_out(p: Program, user: Choice) -> list[str]:
    """The statements of the user's functions that have no meaning here."""
    mine = {d.name for d in user.user}
    return [n.what for n in p.notes if n.kind == "opaque statement" and n.function in mine]

"""Judging a user's C: what it changes, and who is to blame."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..base.errors import LoadputError
from ..ir import ops as o
from ..lang.inputs import Patch, read_tree
from ..lang.syntax import Def
from ..link.overlay import find_overlays
from ..link.program import Choice, Program, link
from ..link.scenario import Scenario
from ..machine.model import build_machine
from .carried import FunctionChange, carry
from .equiv import EQUAL, EQUIVALENT, Comparison, Equivalence
from .taken import Taken, take
from .verdict import BLAME_NEW, BLAME_OPEN, BLAME_RESTS, UNDECIDED, VIOLATED, Result, lay_blame

# Rooms of the specification that are a model of the machine itself: their C is not laid over them.
MODELLED = ("kernel/", "include/linux/sched", "include/linux/rcuwait", "include/linux/entry")

MAX_INPUTS = 1_000  # inputs per function: a real body with opaque calls has too many to run all


NEW, MINDS_NOT, SAME = "violated", "no property minds", "changes nothing that is modelled"
NOT_JUDGED, OPEN = "not judged", "not decided"
Run = Callable[[Choice, str], Result]


@dataclass(slots=True)
class Judgement:
    """What became of one patch on one architecture.

    :param verdict: NEW, MINDS_NOT, SAME, NOT_JUDGED or OPEN
    :param changes: its functions, each with what became of its edits
    :param base: the release's own program; None where nothing was explored, as ``result``
    :param rests_on: per violated property, the values that are not modelled and that decide it
    :param unused: functions that nothing calls here
    :param added: functions that the base does not have
    :param removed: functions that the base has and the patch takes out
    """

    patch: str
    arch: str
    verdict: str
    changes: list[FunctionChange]
    base: Result | None = None
    result: Result | None = None
    equivalences: list[Equivalence] = field(default_factory=list)
    rests_on: dict[str, list[str]] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    fixed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

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
        """0 nothing new, 1 a new violation, 4 not decided or not judged."""
        return {NEW: 1, MINDS_NOT: 0, SAME: 0}.get(self.verdict, 4)


def judge(
    taken: Taken,
    base: Choice,
    scenario: Scenario,
    *,
    run: Run,
    before: Result | None = None,
    label: str = "",
) -> tuple[Judgement, Choice, Result | None]:
    """Carry one patch over to ``base`` and decide both; each finding gets its blame.

    :param run: decides one choice, with what is not modelled ``any``, ``low`` or ``high``
    :param before: the result of ``base``, where it is known
    :return: the judgement, the program with the patch, and its result where it was explored
    :raises LoadputError: the patch does not link here
    """
    got = carry(taken, base)
    user = replace(got.choice, user_label=label, removed=_removed(taken, base))
    program = link(user, scenario)  # before any search: what does not link costs nothing
    for f in got.functions:
        if f.whole and f.name not in program.functions:
            f.why = "nothing calls it here"
    out = Judgement(taken.patch.title, base.arch, NOT_JUDGED, got.functions)
    out.fixed, out.notes = taken.fixed, list(taken.notes)
    out.unused = [f.name for f in got.functions if f.whole and f.name not in program.functions]
    if not got.changes and not user.removed:
        if not any(f.edits for f in got.functions):
            out.verdict = SAME
        return out, user, before
    before = before or run(base, "any")
    after = run(user, "any")
    lay_blame(after, before)
    out.base, out.result = before, after
    comparison = Comparison(before.machine, after.machine, MAX_INPUTS)
    old, new = (r.machine.program.functions for r in (before, after))
    whole = [f.name for f in got.functions if f.whole]
    out.equivalences = [comparison.compare(n) for n in whole if n in old and n in new]
    out.added = [n for n in whole if n in new and n not in old]
    out.removed = [n for n in user.removed if n in old]
    _weigh(out, user, run)
    alike = all(e.verdict in (EQUAL, EQUIVALENT) for e in out.equivalences)
    others = out.added or out.removed or any(f.changes for f in got.functions if not f.whole)
    if out.verdict == MINDS_NOT and out.equivalences and alike and not others:
        out.verdict = SAME
    return out, user, after


def _removed(taken: Taken, base: Choice) -> tuple[str, ...]:
    new = {d.name for d in taken.defs}
    known = {d.name for d in taken.before}
    gone = [n for n in taken.removed if n not in known]
    return tuple(dict.fromkeys(n for n in (*base.removed, *gone) if n not in new))


def _weigh(out: Judgement, user: Choice, run: Run) -> None:
    """Set the verdict: a violation that a value outside the model decides is not decided."""
    assert out.result is not None
    fresh = [p for p in out.result.properties if p.blame in (BLAME_NEW, BLAME_OPEN)]
    program = out.result.machine.program
    values = opaque_values(program, user)
    lost = _left_out(program, user)
    if fresh and lost:
        for p in fresh:
            out.rests_on[p.name] = lost
            p.blame = BLAME_RESTS
    elif fresh and values:
        held = [{p.name: p.verdict for p in run(user, how).properties} for how in ("low", "high")]
        for p in fresh:
            if not all(h.get(p.name) == VIOLATED for h in held):
                out.rests_on[p.name] = values
                p.blame = BLAME_RESTS
    if any(p.blame == BLAME_NEW for p in fresh):
        out.verdict = NEW
    elif lost or out.rests_on or any(p.verdict == UNDECIDED for p in out.result.properties):
        out.verdict = OPEN
    else:
        out.verdict = MINDS_NOT


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


def take_all(
    patches: Sequence[Patch],
    archs: Sequence[str],
    choices: Mapping[str, Choice],
    scenario: Scenario,
) -> tuple[dict[str, list[Taken]], dict[str, LoadputError]]:
    """Per architecture, the patches as it takes them; or why it cannot."""
    out: dict[str, list[Taken]] = {}
    failed: dict[str, LoadputError] = {}
    for arch in archs:
        try:
            program = link(choices[arch], scenario)
            paths = frozenset(p for ps in tree_paths(program).values() for p in ps)
            out[arch] = [take(p, arch, program, paths) for p in patches]
        except LoadputError as e:
            failed[arch] = e
    return out, failed


_PATH = re.compile(r"\b((?:virt|arch|kernel|include)/[\w./-]+?\.[ch])\b")


def tree_paths(p: Program) -> dict[str, list[str]]:
    """Per function of the program, the paths in a kernel tree that its ``Mirrors:`` line names."""
    out: dict[str, list[str]] = {}
    for name, fn in p.functions.items():
        paths = list(dict.fromkeys(_PATH.findall(fn.doc)))
        if paths:
            out[name] = paths
    return out


def tree_functions(tree: Path, p: Program) -> tuple[dict[str, Def], dict[str, str]]:
    """The program's functions as the tree has them, and why the others stay ours.

    Functions that model the scheduler and the hardware themselves stay ours.
    """
    paths = tree_paths(p)
    own = {n: ps for n, ps in paths.items() if not any(q.startswith(MODELLED) for q in ps)}
    got = read_tree(tree, own.keys(), own, origin=f"tree:{tree.name}", structs=set(p.decls.structs))
    reasons = dict(got.reasons)
    for n in paths.keys() - own.keys():
        reasons[n] = "models the scheduler or the entry code: stays the specification's"
    return got.defs, reasons


def compare_with_tree(
    tree: Path, choice: Choice, scenario: Scenario, names: Collection[str] = ()
) -> tuple[list[Equivalence], dict[str, Def], dict[str, str]]:
    """Each function of the tree against ours, one at a time: equal, equivalent, or what differs.

    :param names: only these; all that the tree has by default
    :return: the answers, the functions by name, and why others were not compared
    """
    program = link(choice, scenario)
    ours = build_machine(program)
    defs, reasons = tree_functions(tree, program)
    out = []
    for name in sorted(defs):
        if names and name not in names:
            continue
        user = replace(choice, user=(defs[name],), user_label="tree")
        try:
            theirs = build_machine(link(user, scenario))
        except LoadputError as e:
            reasons[name] = f"{e.span or ''} {e.what}".strip()
            continue
        out.append(Comparison(ours, theirs).compare(name))
    return out, defs, reasons


def known_archs(*more: Path) -> list[str]:
    """The architectures that programs can be linked for."""
    return sorted(n for n, v in find_overlays("arch", *more).items() if not v.abstract)


def expand_archs(text: str, *more: Path) -> list[str]:
    """``all`` or a comma-separated list, in the given order; raises LinkError for unknown ones.

    :param more: further folders with overlays
    """
    from ..link.overlay import get_overlay

    if text == "all":
        return known_archs(*more)
    return [get_overlay("arch", a.strip(), *more).name for a in text.split(",") if a.strip()]

"""Judging a user's C: what it changes, and who is to blame."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..base.errors import LoadputError
from ..lang.inputs import Patch, read_tree
from ..lang.syntax import Def
from ..link.overlay import find_overlays
from ..link.program import Choice, Program, link
from ..link.scenario import Scenario
from ..machine.model import build_machine
from .equiv import Comparison, Equivalence
from .taken import Taken, lay, take
from .verdict import Result, lay_blame

# Rooms of the specification that are a model of the machine itself: their C is not laid over them.
MODELLED = ("kernel/", "include/linux/sched", "include/linux/rcuwait", "include/linux/entry")

MAX_INPUTS = 1_000  # inputs per function: a real body with opaque calls has too many to run all


@dataclass(slots=True)
class Judgement:
    """What became of one patch on one architecture.

    :param unused: functions that nothing calls here
    :param added: functions that the base does not have
    :param removed: functions that the base has and the patch takes out
    """

    patch: str
    arch: str
    functions: list[str]
    equivalences: list[Equivalence]
    base: Result
    result: Result
    unused: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def assumed(self) -> list[str]:
        """The configuration that the bodies of the user's rest on."""
        user = self.result.choice.user
        return list(dict.fromkeys(a for d in user for a in d.assumed))


def judge(
    taken: Taken,
    base: Choice,
    scenario: Scenario,
    *,
    run: Callable[[Choice], Result],
    before: Result | None = None,
    label: str = "",
) -> Judgement:
    """Lay one patch over ``base`` and decide both; each finding gets its blame.

    :param run: decides one choice (so that the caller sets engine and limits)
    :param before: the result of ``base``, where it is known
    :raises LoadputError: the patch does not link here
    """
    user = lay(base, taken, label)
    link(user, scenario)  # before any search: what does not link costs nothing
    before = before or run(base)
    after = run(user)
    lay_blame(after, before)
    comparison = Comparison(before.machine, after.machine, MAX_INPUTS)
    old, new = (r.machine.program.functions for r in (before, after))
    names = [d.name for d in taken.defs]
    equal = [comparison.compare(n) for n in names if n in old and n in new]
    return Judgement(
        taken.patch.title,
        base.arch,
        names,
        equal,
        before,
        after,
        [n for n in names if n not in new],
        [n for n in names if n in new and n not in old],
        [n for n in taken.removed if n in old],
        taken.notes,
    )


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

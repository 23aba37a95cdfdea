"""Judging a user's C: which tree it belongs to, what it changes, and who is to blame."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..base.errors import LoadputError, SourceError
from ..ir.text import render_function
from ..lang.inputs import Patch, read_tree
from ..lang.syntax import Def
from ..link.overlay import find_overlays
from ..link.program import Choice, Program, link
from ..link.scenario import Scenario
from ..machine.model import build_machine
from .equiv import Comparison, Equivalence
from .verdict import Result

RELEASES = ("v6.12", "v6.11-pre", "v6.1.192", "v6.1")
# Rooms of the specification that are a model of the machine itself: their C is not laid over them.
MODELLED = ("kernel/", "include/linux/sched", "include/linux/rcuwait", "include/linux/entry")


@dataclass(frozen=True, slots=True)
class Base:
    """The tree that an input is laid over, and why that one.

    :param distances: per release, how many lines of IR its bodies and the input's differ in
    """

    release: str
    why: str
    distances: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class Judgement:
    """What became of one patch on one architecture."""

    patch: str
    arch: str
    functions: list[str]
    equivalences: list[Equivalence]
    base: Result
    result: Result
    reasons: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    new_fields: list[str] = field(default_factory=list)


def choose_base(defs: Sequence[Def], scenario: Scenario, arch: str, design: str = "") -> Base:
    """The release whose own bodies of the input's functions are nearest to the input's.

    Ties go to the newest release. Functions that no release has do not count.
    """
    rows = []
    for release in RELEASES:
        try:
            rows.append((release, _distance(defs, Choice(arch, design, release), scenario)))
        except SourceError:
            continue
        except LoadputError:
            continue
    if not rows:
        return Base(RELEASES[0], "no release takes its functions; the newest is used")
    best = min(rows, key=lambda r: r[1])[0]
    told = ", ".join(f"{r} {n}" for r, n in rows)
    return Base(best, f"nearest to its functions (lines of IR that differ: {told})", tuple(rows))


def _distance(defs: Sequence[Def], choice: Choice, scenario: Scenario) -> int:
    own = link(choice, scenario)
    user = link(
        Choice(choice.arch, choice.design, choice.release, user=tuple(defs), user_label="input"),
        scenario,
    )
    total = 0
    for d in defs:
        if d.name in own.functions and d.name in user.functions:
            a, b = (_lines(p, d.name) for p in (own, user))
            same = sum(
                m.size for m in difflib.SequenceMatcher(None, a, b, False).get_matching_blocks()
            )
            total += max(len(a), len(b)) - same
    return total + 5 * len(user.decls.inferred)


def _lines(p: Program, name: str) -> list[str]:
    """The function's operations, without numbers of temporaries, labels and jumps."""
    text = render_function(p.functions[name], spans=False)
    rows = [re.sub(r"%\.\d+", "%.", ln.strip()) for ln in text.split("\n")[1:]]
    rows = [re.sub(r"\bL\d+\b", "L", ln) for ln in rows]
    return [ln for ln in rows if ln and not ln.startswith(("local ", "L:", "jmp", "%. = %"))]


def judge(
    name: str,
    defs: Sequence[Def],
    base: Choice,
    scenario: Scenario,
    *,
    run: Callable[[Choice], Result],
    before: Result | None = None,
    label: str = "",
    new_fields: Collection[str] = (),
) -> Judgement:
    """Lay ``defs`` over ``base`` and decide both; each finding gets its blame.

    :param run: decides one choice (so that the caller sets engine and limits)
    :param before: the result of ``base``, where it is known
    """
    from .verdict import lay_blame

    before = before or run(base)
    user = Choice(
        base.arch, base.design, base.release, base.twin, (*base.user, *defs), label, base.search
    )
    after = run(user)
    lay_blame(after, before)
    comparison = Comparison(before.machine, after.machine)
    both = before.machine.program.functions.keys() & after.machine.program.functions.keys()
    equal = [comparison.compare(d.name) for d in defs if d.name in both]
    unused = [d.name for d in defs if d.name not in after.machine.program.functions]
    return Judgement(
        name, base.arch, [d.name for d in defs], equal, before, after, {}, unused, list(new_fields)
    )


def fields_unknown_before(defs: Sequence[Def], scenario: Scenario, arch: str) -> list[str]:
    """Fields that the input uses and some older release lacks: inferred from their use there."""
    out: dict[str, list[str]] = {}
    for release in RELEASES:
        try:
            p = link(Choice(arch, "", release, user=tuple(defs), user_label="input"), scenario)
        except LoadputError:
            continue
        for f in p.decls.inferred:
            out.setdefault(f"{f.name}: {f.type}", []).append(release)
    return [f"{name}, which {', '.join(rs)} lacks" for name, rs in out.items()]


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
        user = Choice(
            choice.arch, choice.design, choice.release, choice.twin, (defs[name],), "tree"
        )
        try:
            theirs = build_machine(link(user, scenario))
        except LoadputError as e:
            reasons[name] = f"{e.span or ''} {e.what}".strip()
            continue
        out.append(Comparison(ours, theirs).compare(name))
    return out, defs, reasons


def patch_defs(patch: Patch, structs: Collection[str]) -> list[Def]:
    """The functions of a patch as syntax trees; raises SourceError with the place."""
    return patch.parse(structs=structs)


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


def tree_release(tree: Path) -> str:
    """The release nearest to a kernel tree, by the version in its Makefile."""
    try:
        text = (tree / "Makefile").read_text("utf-8", "replace")
    except OSError:
        return RELEASES[0]
    found = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL)\s*=\s*(\d+)", text, re.M))
    version = (int(found.get("VERSION", 6)), int(found.get("PATCHLEVEL", 12)))
    if version >= (6, 12):
        return "v6.12"
    if version >= (6, 11):
        return "v6.11-pre"
    return "v6.1.192" if int(found.get("SUBLEVEL", 0)) > 0 else "v6.1"

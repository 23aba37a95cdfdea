"""Which kernel a user's C was written for, and why."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..base.errors import LinkError, LoadputError
from ..ir.text import render_function
from ..lang.carry import Names, distances
from ..lang.syntax import Def
from ..link.overlay import find_overlays
from ..link.program import Choice, Program, link, specification
from ..link.scenario import Scenario
from .mirrors import mirrors_of
from .taken import Taken, first_seen

RELEASES = ("v7.3", "v6.12", "v6.11-pre", "v6.1.192", "v6.1")


@dataclass(frozen=True, slots=True)
class Base:
    """The kernel that an input is laid over, and why that one.

    :param distances: per release, how many lines of IR its bodies and the input's differ in
    :param fields: fields that the input uses and some release lacks: inferred from their use there
    """

    release: str
    why: str
    distances: tuple[tuple[str, int], ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class _Asked:
    """What the releases answered: the distance, or the error."""

    distance: dict[str, int] = field(default_factory=dict)
    errors: dict[str, LoadputError] = field(default_factory=dict)
    fields: dict[str, list[str]] = field(default_factory=dict)


def choose_base(
    taken: Mapping[str, Sequence[Taken]],
    scenario: Scenario,
    design: str = "",
    search: tuple[Path, ...] = (),
) -> Base:
    """The release whose own bodies of the input's functions are nearest to the input's.

    A diff that shows whole functions, or has a tree, is measured by what was there before it.
    Ties go to the newest release; a release that the input does not link on comes last.

    :param taken: per architecture, the patches as it takes them
    :param search: further folders with overlays
    :raises LoadputError: the input links on no release: LP0416, or what all of them say
    """
    if any(t.before for patches in taken.values() for t in patches):
        return _nearest(taken, design, search)
    asked = _Asked()
    measured: set[str] = set()
    old = any(t.before for patches in taken.values() for t in patches)
    for arch, patches in taken.items():
        met = first_seen(patches)
        if met.keys() <= measured:
            continue
        own = Choice(arch, design, search=search)
        got = {r: _ask(asked, replace(own, release=r), scenario, patches, met) for r in RELEASES}
        if any(got.values()):
            measured |= met.keys()
    if not asked.distance:
        raise _nowhere(asked.errors)
    rows = tuple((r, asked.distance[r]) for r in RELEASES if r in asked.distance)
    fits = [row for row in rows if row[0] not in asked.errors] or list(rows)
    best = min(fits, key=lambda row: row[1])[0]
    fields = tuple(
        f"{name}, which {', '.join(rs)} {'lacks' if len(rs) == 1 else 'lack'}"
        for name, rs in asked.fields.items()
    )
    return Base(best, _why(best, rows, old, asked.errors), rows, fields)


def _nearest(taken: Mapping[str, Sequence[Taken]], design: str, search: tuple[Path, ...]) -> Base:
    """The release whose functions follow the C before most closely, by weight of what does not."""
    total = dict.fromkeys(RELEASES, 0.0)
    for arch, patches in taken.items():
        specs = {}
        for r in RELEASES:
            try:
                defs, decls = specification(Choice(arch, design, r, search=search))
            except LoadputError:
                total[r] += 1_000
                continue
            specs[r] = (defs, mirrors_of(defs), Names(frozenset(decls.globals), defs))
        before = {d.name: d for t in reversed(patches) for d in t.before}
        for name, d in before.items():
            has = {r: by_c[name][0] for r, (_, by_c, _) in specs.items() if name in by_c}
            got = distances(d, [(specs[r][0][n], specs[r][2]) for r, n in has.items()])
            for r, n in zip(has, got, strict=True):
                total[r] += n
            for r in specs.keys() - has.keys():
                total[r] += 10 if has else 0
    rows = tuple((r, round(total[r])) for r in RELEASES)
    best = min(rows, key=lambda row: row[1])[0]
    least = dict(rows)[best]
    others = ", ".join(f"{r} {n}" for r, n in rows if r != best)
    same = all(n == least for _, n in rows)
    why = f"nearest to what the diff replaces (distance {least}; {others})"
    if same:
        why = "every release is as near to what the diff replaces; the newest is taken"
    return Base(best, why, rows)


def _why(
    best: str, rows: Sequence[tuple[str, int]], old: bool, errors: Mapping[str, LoadputError]
) -> str:
    least = dict(rows)[best]
    same = [r for r, n in rows if n == least and r != best]
    what = "what the diff replaces" if old else "its functions"
    told = ", ".join(f"{r} {n}" for r, n in rows if r != best)
    how = f"{what} are the release's own" if not least else f"nearest to {what}"
    how = how.replace("replaces are", "replaces is")
    if not told:
        return how + "; it links on no other release"
    if len(same) == len(rows) - 1:
        return f"every release is as near to {what}; the newest is taken, --base names another"
    lines = (
        f"lines that differ: {least}; {told}" if least else f"lines that differ elsewhere: {told}"
    )
    return f"{how} ({lines})" + ("; does not link on all" if best in errors else "")


def _ask(
    asked: _Asked,
    choice: Choice,
    scenario: Scenario,
    patches: Sequence[Taken],
    met: Mapping[str, Def],
) -> bool:
    """Add what one release says; whether it links."""
    r = choice.release
    try:
        n, inferred = _distance(choice, scenario, met, patches)
    except LoadputError as e:
        asked.errors.setdefault(r, e)
        return False
    asked.distance[r] = asked.distance.get(r, 0) + n
    for name in inferred:
        where = asked.fields.setdefault(name, [])
        if r not in where:
            where.append(r)
    return True


def _distance(
    choice: Choice, scenario: Scenario, met: Mapping[str, Def], patches: Sequence[Taken]
) -> tuple[int, list[str]]:
    from dataclasses import replace

    own = link(choice, scenario)
    hints = tuple(h for t in patches for h in t.hints)
    user = link(
        replace(choice, user=tuple(met.values()), user_label="input", hints=hints), scenario
    )
    old = {d.name for t in patches for d in t.before}
    total = 0
    for name in met:
        if name in own.functions and name in user.functions:
            a, b = (_lines(p, name) for p in (own, user))
            match = difflib.SequenceMatcher(None, a, b, False)
            total += max(len(a), len(b)) - sum(m.size for m in match.get_matching_blocks())
        elif name in old and name in user.functions:
            total += len(_lines(user, name))
    total += sum(10 for t in patches for n in t.removed if n not in own.functions)
    inferred = [f"{f.name}: {f.type}" for f in user.decls.inferred]
    return total + 5 * len(inferred), inferred


def _lines(p: Program, name: str) -> list[str]:
    """The function's operations, without numbers of temporaries, labels and jumps."""
    text = render_function(p.functions[name], spans=False)
    rows = [re.sub(r"%\.\d+", "%.", ln.strip()) for ln in text.split("\n")[1:]]
    rows = [re.sub(r"\bL\d+\b", "L", ln) for ln in rows]
    return [ln for ln in rows if ln and not ln.startswith(("local ", "L:", "jmp", "%. = %"))]


def _nowhere(errors: Mapping[str, LoadputError]) -> LoadputError:
    """One error for an input that no release takes: the common one, or what each says."""
    if not errors:
        return LinkError("LP0416", "the input has nothing to link")
    first = next(iter(errors.values()))
    if all(
        (e.code, e.what, e.span) == (first.code, first.what, first.span) for e in errors.values()
    ):
        return first
    return LinkError(
        "LP0416",
        "the input links on no release",
        span=first.span,
        line_text=first.line_text,
        got="; ".join(f"{r}: {e.what}" for r, e in errors.items()),
        expected="C that fits one of the releases, with every caller of what it changes",
        next=first.next or "--base RELEASE shows one release's error in full",
    )


def tree_version(tree: Path) -> tuple[int, int, int] | None:
    """The kernel version in a tree's Makefile; None where it has none."""
    try:
        text = (tree / "Makefile").read_text("utf-8", "replace")
    except OSError:
        return None
    found = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL)\s*=\s*(\d+)", text, re.M))
    if "VERSION" not in found or "PATCHLEVEL" not in found:
        return None
    return int(found["VERSION"]), int(found["PATCHLEVEL"]), int(found.get("SUBLEVEL", 0))


def tree_release(tree: Path, archs: Iterable[str] = (), search: tuple[Path, ...] = ()) -> str:
    """The release nearest to a kernel tree, by its version; the default one where it has none.

    :param archs: the release is one that is written for each of them
    :param search: further folders with overlays
    """
    version = tree_version(tree)
    if version is None:
        return Choice().release
    if version < (6, 11, 0):
        return "v6.1.192" if version[2] > 0 else "v6.1"
    if version < (6, 12, 0):
        return "v6.11-pre"
    return min(_newest_first(archs, search), key=lambda r: abs(_ordinal(r[0]) - _ordinal(version)))[
        1
    ]


def newer_than(tree: Path, archs: Iterable[str] = (), search: tuple[Path, ...] = ()) -> str:
    """In words, that a tree is newer than what is specified for ``archs``; "" where it is not."""
    version = tree_version(tree)
    (major, minor), newest = _newest_first(archs, search)[0]
    if version is None or version[:2] <= (major, minor):
        return ""
    told = ".".join(map(str, version))
    on = " on " + ", ".join(archs) if archs else ""
    return f"the tree is {told}, newer than the specification, whose newest{on} is {newest}"


def _newest_first(
    archs: Iterable[str], search: tuple[Path, ...] = ()
) -> list[tuple[tuple[int, int], str]]:
    """The releases from v6.12 on that are written for each of ``archs``, with their numbers."""
    archs, out = list(archs), []
    for name, v in find_overlays("release", *search).items():
        number = re.fullmatch(r"v(\d+)\.(\d+)", name)
        if number and (not v.archs or archs) and set(archs) <= set(v.archs or archs):
            out.append(((int(number[1]), int(number[2])), name))
    return sorted((row for row in out if row[0] >= (6, 12)), reverse=True)


def _ordinal(version: tuple[int, ...]) -> int:
    """The how-manieth kernel it is: 7.0 follows 6.19."""
    return version[0] * 20 + version[1]


def base_of_tree(tree: Path, archs: Iterable[str] = ()) -> Base | None:
    """The base that a tree's version names beyond doubt: 6.1.y, or 6.12 and later."""
    version = tree_version(tree)
    if version is None or not (version[:2] == (6, 1) or version >= (6, 12, 0)):
        return None
    told = ".".join(map(str, version))
    why = newer_than(tree, archs) or f"the tree is {told} by its Makefile"
    return Base(tree_release(tree, archs), why)

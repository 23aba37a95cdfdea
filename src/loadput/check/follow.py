"""A kernel tree against the specification: which of the C that it mirrors is still as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..base.errors import InputError
from ..ir.decls import Decls
from ..lang.carry import Names, parts_alone
from ..lang.syntax import Def
from ..link.bindings import bindings_of
from ..link.overlay import get_overlay
from ..link.program import Choice, specification
from .basis import newer_than
from .fingerprint import Drift, Fingerprint, drift, fingerprint, known, short_hash
from .mirrors import elsewhere, find_in_tree, mirrors_of, parse_bound
from .scope import places_on

IN_STEP, CHANGED, MOVED = "in step", "changed since", "moved"
GONE, UNKNOWN = "gone", "no fingerprint"
NOT_TAKEN = "not taken"


@dataclass(slots=True)
class Followed:
    """One C function that the specification mirrors, as a tree has it.

    :param status: IN_STEP, CHANGED, MOVED (and in step), GONE, UNKNOWN or NOT_TAKEN
    :param ours: the specification's functions that mirror it
    :param path: where the tree has it
    :param drift: of one that changed: its new statements, and how many are gone
    :param without: statements of ours that the tree's C has no part for
    """

    name: str
    status: str
    ours: Sequence[str]
    path: str = ""
    drift: Drift | None = None
    without: list[str] = field(default_factory=list)

    @property
    def carries(self) -> bool:
        """Whether every statement of ours still has its part in the tree's C."""
        return not self.without


@dataclass(slots=True)
class Followup:
    """What a tree has of what one architecture's specification mirrors.

    :param own: functions of ours that mirror no C function
    :param newer: that the tree is newer than all that is specified, in words; else ""
    """

    tree: str
    arch: str
    release: str
    functions: list[Followed] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    newer: str = ""

    @property
    def is_in_step(self) -> bool:
        """Whether the specification may be trusted for this tree, function by function."""
        return all(f.status in (IN_STEP, MOVED, NOT_TAKEN) for f in self.functions)


def follow(tree: Path, choice: Choice) -> Followup:
    """Hold every C function that the program of ``choice`` mirrors against the tree's.

    :raises InputError: LP0235, no kernel tree
    """
    if not (tree / "virt/kvm").is_dir():
        raise InputError("LP0235", f"--tree {tree}: no kernel tree", expected="virt/kvm in it")
    defs, decls = specification(choice)
    where = places_on(choice.arch, defs)
    found = find_in_tree(tree, where)
    moved = elsewhere(tree, {n: ps for n, ps in where.items() if n not in found})
    old = known(choice.release)
    names = Names(frozenset(decls.globals), defs)
    bindings = bindings_of(choice.arch, *choice.search)
    by_c = mirrors_of(defs)
    out = Followup(tree.name, choice.arch, choice.release, newer=newer_than(tree, [choice.arch]))
    out.own = sorted(n for n, d in defs.items() if "Mirrors:" not in d.doc)
    for name in sorted(where):
        f = found.get(name) or moved.get(name)
        row = Followed(name, GONE, by_c[name])
        out.functions.append(row)
        if f is None:
            was = any((p, name) in old for p in where[name])
            row.status = GONE if was else NOT_TAKEN
            continue
        row.path = f.path
        here = (f.path, *where[name])  # where it was written from, or where that release had it
        before = next((old[p, name] for p in here if (p, name) in old), None)
        if before is None:
            row.status = UNKNOWN
            continue
        row.drift = drift(before, f)
        stays = name in found or (f.path, name) in old
        row.status = CHANGED if row.drift else IN_STEP if stays else MOVED
        if row.drift is not None:
            c = parse_bound(f, decls, bindings)
            alone = without(c, by_c[name], defs, names) if c is not None else []
            row.without = [a for a in alone if short_hash(a) not in before.alone]
    return out


def without(c: Def, ours: Sequence[str], defs: Mapping[str, Def], names: Names) -> list[str]:
    """What of the one of ours that follows ``c`` best has no part in it."""
    return min((parts_alone(c, defs[n], names) for n in ours), key=len, default=[])


def take(tree: Path, release: str, archs: Sequence[str], since: str = "") -> list[Fingerprint]:
    """The fingerprint of every function that the specification of ``release`` mirrors there.

    :param since: an older release that this one's specification comes from: what has changed in the
        kernel since then, and no function of ours says that it mirrors as of ``release``, keeps the
        fingerprint that it had
    """
    old = {f.name: f for f in known(since).values()} if since else {}
    told: set[str] = set()
    out: dict[tuple[str, str], Fingerprint] = {}
    only = get_overlay("release", release).archs or archs
    for arch in [a for a in archs if a in only]:
        defs, decls = specification(Choice(arch, release=release))
        names = Names(frozenset(decls.globals), defs)
        by_c, bindings = mirrors_of(defs), bindings_of(arch)
        told |= {c for c, ours in by_c.items() if any(release in defs[n].doc for n in ours)}
        where = places_on(arch, defs)
        found = find_in_tree(tree, where)
        found.update(elsewhere(tree, {n: ps for n, ps in where.items() if n not in found}))
        for name, f in found.items():
            c = parse_bound(f, decls, bindings)
            alone = without(c, by_c[name], defs, names) if c is not None else []
            was = out.get((f.path, name))
            one = fingerprint(f, alone)
            more = (*was.alone, *one.alone) if was else one.alone
            out[f.path, name] = replace(one, alone=tuple(dict.fromkeys(more)))
    return [
        old[f.name] if f.name not in told and f.text != old.get(f.name, f).text else f
        for f in out.values()
    ]


def in_tree(tree: Path, arch: str, defs: Mapping[str, Def], decls: Decls) -> dict[str, Def]:
    """Every C function that ``defs`` mirror and the tree has, in the model's terms."""
    bindings = bindings_of(arch)
    out = {}
    for name, f in find_in_tree(tree, places_on(arch, defs)).items():
        d = parse_bound(f, decls, bindings)
        if d is not None:
            out[name] = d
    return out

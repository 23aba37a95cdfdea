"""A kernel tree against the specification: which of the C that it mirrors is still as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..base.errors import InputError
from ..ir.decls import Decls
from ..lang.carry import Effects, Names, parts_alone, tree_of
from ..lang.carry.bind import Bindings
from ..lang.cfront import CFunction, parse_function
from ..lang.syntax import Def
from ..link.bindings import bindings_of
from ..link.program import Choice
from .basis import newer_than
from .fingerprint import Drift, drift, reviewed, short_hash, written_from
from .live import live
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
    :param was: where the specification has it from
    :param since: the release whose C was read last: of what changed and is not the one asked for,
        nobody has read what changed
    :param acts: of what changed: whether it may do something to what is modelled; False only where
        all that changed was read, and nothing of it does
    """

    name: str
    status: str
    ours: Sequence[str]
    path: str = ""
    drift: Drift | None = None
    without: list[str] = field(default_factory=list)
    was: str = ""
    since: str = ""
    acts: bool = False

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
    check_tree(tree)
    defs, _, decls = live(choice)
    where = places_on(choice.arch, defs, *choice.search)
    found = find_in_tree(tree, where)
    moved = elsewhere(tree, {n: ps for n, ps in where.items() if n not in found})
    old = written_from(choice.release, *choice.search)
    read = reviewed(choice.release, *choice.search)
    effects = Effects(decls, defs)
    names = Names(frozenset(decls.globals), defs)
    bindings = bindings_of(choice.arch, *choice.search)
    by_c = mirrors_of(defs)
    newer = newer_than(tree, [choice.arch], choice.search)
    out = Followup(tree.name, choice.arch, choice.release, newer=newer)
    out.own = sorted(n for n, d in defs.items() if "Mirrors:" not in d.doc)
    for name in sorted(where):
        f = found.get(name) or moved.get(name)
        row = Followed(name, GONE, by_c[name], was=where[name][0])
        out.functions.append(row)
        if f is None:
            was = [p for p in where[name] if (p, name) in old]
            known_gone = any((p, name, GONE) in read for p in was)
            row.status, row.was = (GONE, was[0]) if was and not known_gone else (NOT_TAKEN, row.was)
            continue
        row.path = f.path
        here = (f.path, *where[name])  # where it was written from, or where that release had it
        before = next((old[p, name] for p in here if (p, name) in old), None)
        if before is None:
            row.status = UNKNOWN
            continue
        row.drift, row.was, row.since = drift(before, f), before.path, before.release
        stays = name in found or (f.path, name) in old
        row.status = CHANGED if row.drift else IN_STEP if stays else MOVED
        if row.drift is not None:
            c = parse_bound(f, decls, bindings)
            alone = without(c, by_c[name], defs, names) if c is not None else []
            row.without = [a for a in alone if short_hash(a) not in before.alone]
            row.acts = bool(row.without) or c is None or _acts(row.drift, f, bindings, effects)
    return out


def check_tree(tree: Path) -> None:
    """Raise InputError LP0235 where ``tree`` is no kernel tree."""
    if not (tree / "virt/kvm").is_dir():
        raise InputError("LP0235", f"--tree {tree}: no kernel tree", expected="virt/kvm in it")


def _acts(d: Drift, f: CFunction, bindings: Bindings, effects: Effects) -> bool:
    """Whether what changed may act on what is modelled: what is gone is known by its hash alone."""
    if d.gone or not d.new:
        return True
    c = parse_function(f, "tree", lenient=True)
    fresh = [n for n in tree_of(c).walk() if n.key in d.new]
    under = {id(k.stmt): k.stmt for n in fresh for k in n.walk() if k.stmt is not None}
    if any(n.kind in ("opaque", "label", "jump", "ret") for top in fresh for n in top.walk()):
        return True
    if any(n.key and n.key not in d.new for top in fresh for n in top.walk()):
        return True  # what was there is under a new condition
    laid, _ = bindings.lay(replace(c, body=tuple(under.values())))
    return bool(effects(c, laid.body))


def without(c: Def, ours: Sequence[str], defs: Mapping[str, Def], names: Names) -> list[str]:
    """What of the one of ours that follows ``c`` best has no part in it."""
    return min((parts_alone(c, defs[n], names) for n in ours), key=len, default=[])


def in_tree(tree: Path, arch: str, defs: Mapping[str, Def], decls: Decls) -> dict[str, Def]:
    """Every C function that ``defs`` mirror and the tree has, in the model's terms."""
    bindings = bindings_of(arch)
    out = {}
    for name, f in find_in_tree(tree, places_on(arch, defs)).items():
        d = parse_bound(f, decls, bindings)
        if d is not None:
            out[name] = d
    return out

"""Fingerprints of a kernel tree: what a release's own file has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..lang.carry import Names
from ..lang.syntax import Def
from ..link.bindings import bindings_of
from ..link.overlay import expand_archs, get_overlay
from ..link.program import Choice
from .declared import declared_in, is_named, sources
from .fingerprint import (
    Fingerprint,
    below,
    file_of,
    fingerprint,
    known,
    render,
    reviewed,
    short_hash,
)
from .follow import check_tree, without
from .live import live
from .mirrors import elsewhere, find_in_tree, mirrored, mirrors_of, parse_bound, versions_of
from .scope import is_of, places_on

_Taken = tuple[Fingerprint, bool, Sequence[str]]
"""A fingerprint, whether ours tell that it was read, and the files where it was."""


def take(
    tree: Path, release: str, archs: Sequence[str], search: tuple[Path, ...] = ()
) -> tuple[list[Fingerprint], list[Fingerprint]]:
    """The fingerprints of what somebody has read of ``tree`` for the specification of ``release``.

    A release that is laid over another has a function of its own where all of ours that mirror it
    cite the release, or its list of what was read has the very text; else the one it had counts.
    The second list are those that have another text than they had, and were not read.
    """
    base: dict[tuple[str, str], Fingerprint] = {}
    for name in below(release, *search):
        base.update(known(name, *search))
    only = get_overlay("release", release, *search).archs or archs
    out: dict[tuple[str, str], Fingerprint] = {}
    old: set[tuple[str, str]] = set()
    same: set[tuple[str, str]] = set()
    for arch in [a for a in archs if a in only]:
        choice = Choice(arch, release=release, search=search)
        for f, told, places in (*_functions(tree, choice), *_declared(tree, choice, base)):
            at = (f.path, f.name)
            more = (*out[at].alone, *f.alone) if at in out else f.alone
            out[at] = replace(f, alone=tuple(dict.fromkeys(more)))
            if not told:
                old.add(at)
            if any(base[p, f.name].text == f.text for p in places if (p, f.name) in base):
                same.add(at)
    read = reviewed(release, *search)
    mine = {at for at, f in out.items() if not base or at not in old or (*at, f.text) in read}
    left = [f for at, f in out.items() if at not in mine | same]
    return [f for at, f in out.items() if at in mine], left


def write_taken(tree: Path, release: str, search: tuple[Path, ...] = ()) -> tuple[Path, int, int]:
    """Write a release's fingerprints; the file, how many, and how many nobody has read.

    :raises InputError: LP0235, no kernel tree
    """
    check_tree(tree)
    got, left = take(tree, release, expand_archs("all", *search), search)
    file = file_of(release, *search)
    file.parent.mkdir(exist_ok=True)
    file.write_text(render(tree.name.replace("_", " "), got), "utf-8")
    return file, len(got), len(left)


def _functions(tree: Path, choice: Choice) -> Iterable[_Taken]:
    """Those of C, each with whether ours say that it is mirrored as of the release."""
    defs, _, decls = live(choice)
    names = Names(frozenset(decls.globals), defs)
    by_c, bindings = mirrors_of(defs), bindings_of(choice.arch, *choice.search)
    where = places_on(choice.arch, defs, *choice.search)
    found = find_in_tree(tree, where)
    found.update(elsewhere(tree, {n: ps for n, ps in where.items() if n not in found}))
    for name, f in found.items():
        c = parse_bound(f, decls, bindings)
        alone = without(c, by_c[name], defs, names) if c is not None else []
        ours = [defs[n] for n in by_c[name]]
        told = _is_told(name, f.path, ours, choice.release)
        yield fingerprint(f, alone), told, (f.path, *where[name])


def _is_told(name: str, path: str, ours: Sequence[Def], release: str) -> bool:
    """Whether each of ours that mirrors the function in that file cites the release."""
    here = [d for d in ours if path in mirrored(d.doc)[name]] or ours
    said = [versions_of(d.doc).get(name, frozenset[str]()) for d in here]
    return all(any(f"{v}.".startswith(f"{release}.") for v in vs) for vs in said)


def _declared(
    tree: Path, choice: Choice, base: Mapping[tuple[str, str], Fingerprint]
) -> Iterable[_Taken]:
    """Fields and constants, each with whether the release has declared it, or is the first to."""
    defs, _, decls = live(choice)
    had: dict[str, list[str]] = {}
    for path, name in base:
        if is_of(choice.arch, path, *choice.search):
            had.setdefault(name, []).append(path)
    where = sources(
        decls, [p for ps in places_on(choice.arch, defs, *choice.search).values() for p in ps]
    )
    for d in declared_in(tree, where, decls).values():
        told = d.name not in had or is_named(d.name, decls, of=f"release:{choice.release}")
        one = Fingerprint(d.path, d.name, short_hash(d.text, 16))
        yield one, told, (d.path, *had.get(d.name, ()))

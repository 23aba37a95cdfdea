"""How far a kernel tree has gone from the C that the specification was written from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..base.errors import LinkError
from ..link.overlay import find_overlays
from ..link.program import Choice
from .basis import newer_than, tree_release
from .declared import declared_in, headers_with, is_named, owner_of, sources
from .fingerprint import Drift, below, known, reviewed, short_hash, source_of, written_from
from .follow import (
    CHANGED,
    GONE,
    IN_STEP,
    MOVED,
    NOT_TAKEN,
    UNKNOWN,
    Followed,
    Followup,
    follow,
)
from .live import live
from .mirrors import rooms_of
from .scope import is_of, places_on

FUNCTION = "function"
DECIDES, BESIDE = "may decide", "beside what is modelled"
ORDER = (DECIDES, BESIDE, UNKNOWN, MOVED, GONE, IN_STEP)
"""What a change there could decide, most first."""


@dataclass(slots=True)
class Drifted:
    """One function, field or constant of C, on all architectures that mirror it.

    :param kind: ``function``, ``struct`` (a field: ``name`` is ``STRUCT.FIELD``) or ``const``
    :param status: one of ORDER; BESIDE only where all that changed was read and does nothing there
    :param path: where the tree has it; of one that is gone, where it was
    :param ours: the specification's functions that mirror it
    :param without: statements of ours that the tree's C has no part for
    :param change: its new statements, and how many are gone
    :param since: the release whose C was read last
    :param text: stands for what the tree has
    """

    kind: str
    name: str
    status: str
    path: str
    was: str
    archs: list[str]
    ours: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    change: Drift | None = None
    since: str = ""
    text: str = ""


@dataclass(slots=True)
class TreeDrift:
    """A tree against all that the specification of some architectures mirrors.

    :param releases: what each architecture was held against
    :param sources: of each such release, the tree that its fingerprints were taken from
    :param left_out: architectures that the asked release is not written for
    :param newer: that the tree is newer than all that is specified, in words; else ""
    :param taken_here: releases all of whose fingerprints are of this very tree, read or not: it
        cannot differ from them
    :param lost_files: files of what is gone that the tree has not
    """

    tree: str
    releases: dict[str, str]
    rows: list[Drifted]
    sources: dict[str, str]
    left_out: list[str]
    newer: str = ""
    taken_here: list[str] = field(default_factory=list)
    lost_files: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 where nothing changed; what only moved has not."""
        return int(any(r.status not in (IN_STEP, MOVED) for r in self.rows))


def drift_of(
    tree: Path, archs: Sequence[str], release: str = "", search: tuple[Path, ...] = ()
) -> TreeDrift:
    """Hold ``tree`` against what the specification of each of ``archs`` mirrors.

    :param release: "": for each architecture the one nearest to the tree
    :param search: further folders with overlays
    :raises InputError: LP0235, no kernel tree
    :raises LinkError: LP0407, the release is written for none of ``archs``
    """
    left_out = [a for a in archs if release and not _is_for(release, a, search)]
    archs = [a for a in archs if a not in left_out]
    if not archs:
        raise LinkError(
            "LP0407",
            f"release {release} is written for none of {', '.join(left_out)}",
            expected="an architecture that it has: loadput list",
            next="without --release, each architecture takes the one nearest to the tree",
        )
    merged: dict[tuple[str, str, str], Drifted] = {}
    releases: dict[str, str] = {}
    for arch in archs:
        at = releases[arch] = release or tree_release(tree, [arch], search)
        choice = Choice(arch, release=at, search=search)
        for row in (*_functions(follow(tree, choice)), *_declared(tree, choice)):
            _merge(merged, row)
    rows = sorted(
        merged.values(),
        key=lambda r: (ORDER.index(r.status), -len(r.without), r.kind, r.path, r.name),
    )
    froms = {r: source_of(r, *search) for r in sorted(set(releases.values()))}
    newer = newer_than(tree, archs, search)
    lost = sorted({r.path for r in rows if r.status == GONE and not (tree / r.path).is_file()})
    here = [
        r
        for r, source in froms.items()
        if source == tree.name.replace("_", " ")
        and not any(known(b, *search) for b in below(r, *search))
    ]
    return TreeDrift(tree.name, releases, rows, froms, left_out, newer, here, lost)


def _is_for(release: str, arch: str, search: tuple[Path, ...]) -> bool:
    found = find_overlays("release", *search).get(release)
    return found is None or not found.archs or arch in found.archs


def _merge(rows: dict[tuple[str, str, str], Drifted], row: Drifted) -> None:
    """Add an architecture's row to the others'; the worst that any says is so."""
    key = (row.kind, row.name, row.path)
    had = rows.setdefault(key, row)
    if had is row:
        return
    had.archs += row.archs
    had.ours = sorted({*had.ours, *row.ours})
    had.without = list(dict.fromkeys((*had.without, *row.without)))
    had.status = min(had.status, row.status, key=ORDER.index)
    had.change = had.change or row.change


def _functions(f: Followup) -> Iterable[Drifted]:
    for row in f.functions:
        if row.status != NOT_TAKEN:
            path = row.path or row.was
            yield Drifted(
                FUNCTION, row.name, _status(row), path, row.was, [f.arch],
                list(row.ours), list(row.without), row.drift, row.since,
                row.drift.text if row.drift else "",
            )  # fmt: skip


def _status(row: Followed) -> str:
    if row.status == CHANGED:
        return DECIDES if row.acts else BESIDE
    return row.status


def _declared(tree: Path, choice: Choice) -> list[Drifted]:
    """The fields and constants that have a fingerprint, as the tree has them."""
    defs, left, decls = live(choice)
    where = sources(
        decls, [p for ps in places_on(choice.arch, defs, *choice.search).values() for p in ps]
    )
    own, old = known(choice.release, *choice.search), {}
    every = written_from(choice.release, *choice.search).values()
    for f in sorted(every, key=lambda f: (f.path, f.name) in own):
        if (
            owner_of(f.name) in where
            and is_of(choice.arch, f.path, *choice.search)
            and is_named(f.name, decls)
            and (f.release == choice.release or re.split(r"[:.]", f.name)[-1] not in left)
        ):
            old[f.name] = f
    asked = {key: where[key] for key in sorted({owner_of(name) for name in old})}
    now = declared_in(tree, asked, decls)
    lost = {owner_of(n): rooms_of(f.path) for n, f in old.items() if n not in now}
    far = declared_in(tree, headers_with(tree, lost), decls)
    read = reviewed(choice.release, *choice.search)
    out = []
    for name, f in old.items():
        d = now.get(name) or far.get(name)
        if d is None and (f.path, name, GONE) in read:
            continue
        text = short_hash(d.text, 16) if d is not None else ""
        stays = IN_STEP if d is not None and d.path == f.path else MOVED
        status = GONE if d is None else stays if text == f.text else DECIDES
        kind, _, plain = name.partition(":")
        row = Drifted(kind, plain, status, d.path if d else f.path, f.path, [choice.arch])
        row.since, row.text = f.release, text if status == DECIDES else ""
        out.append(row)
    return out

"""Fingerprints of the C that the specification was written from, and whether a tree still has it.

A line of ``spec/fingerprints/RELEASE.txt`` is a path, a function, the hash of its text without
blanks and comments, a short hash of each of its statements and tests, and one of each statement of
ours that has no part in it; no text of the kernel's. Fields and constants that the specification
names have a line too, ``struct:NAME.FIELD`` and ``const:NAME``, with the hash of their declaration.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ..base.errors import SourceError
from ..lang.carry import tree_of
from ..lang.cfront import CFunction, parse_function
from ..lang.cfront.clean import blank_comments
from ..link.overlay import chain, get_overlay

MAINLINE = "v6.12"
"""What the specification has where no release is laid over it."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One C function as it was: ``text`` stands for all of it, ``rows`` for its statements.

    :param alone: stand for the statements of ours that had no part in it
    :param release: whose file has it
    """

    path: str
    name: str
    text: str
    rows: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    release: str = ""


def fingerprint(f: CFunction, alone: Iterable[str] = ()) -> Fingerprint:
    """That of a function of a tree; its statements are those that can be read."""
    raw = blank_comments("\n".join(ln.text for ln in f.lines))
    text = short_hash(" ".join(raw.split()), 16)
    ours = tuple(dict.fromkeys(short_hash(a) for a in alone))
    return Fingerprint(f.path, f.name, text, tuple(statements(f)), ours)


def statements(f: CFunction) -> dict[str, list[str]]:
    """Per short hash, the statements and tests of a function that have it, as text."""
    try:
        d = parse_function(f, "tree", lenient=True)
    except SourceError:
        return {}
    out: dict[str, list[str]] = {}
    for n in tree_of(d).walk():
        if n.key:
            out.setdefault(short_hash(f"{n.kind} {n.key}"), []).append(n.key)
    return out


def short_hash(text: str, size: int = 4) -> str:
    """The first ``size`` digits of the text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:size]


def render(source: str, found: Iterable[Fingerprint]) -> str:
    """The file of one release.

    :param source: what the tree is
    """
    rows = [f"# The C that the specification mirrors, from {source}; loadput drift --take\n"]
    for f in sorted(found, key=lambda f: (f.path, f.name)):
        lists = " ".join(",".join(x) or "-" for x in (f.rows, f.alone))
        rows.append(f"{f.path} {f.name} {f.text} {lists}\n")
    return "".join(rows)


def file_of(release: str, *search: Path) -> Path:
    """Where the fingerprints of a release are, or would be: beside the folder ``release``."""
    return (
        get_overlay("release", release, *search).folder.parents[1] / f"fingerprints/{release}.txt"
    )


@cache
def known(release: str, *search: Path) -> Mapping[tuple[str, str], Fingerprint]:
    """The fingerprints of a release, by path and name; none where it has no file.

    :param search: further folders with overlays
    """
    out = {}
    for path, name, text, *lists in _rows(file_of(release, *search)):
        rows, alone = (tuple(x.split(",")) if x != "-" else () for x in lists)
        out[path, name] = Fingerprint(path, name, text, rows, alone, release)
    return out


def _rows(file: Path) -> list[list[str]]:
    lines = file.read_text("utf-8").splitlines() if file.is_file() else ()
    return [line.split() for line in lines if line.strip() and not line.startswith("#")]


def reviewed(release: str, *search: Path) -> frozenset[tuple[str, str, str]]:
    """What somebody read in a release and found mirrored still: path, name, hash of the text.

    The hash is of what was read: of a text that changed since, nobody has said so. ``gone`` in its
    place says the same of what the release has no more: what stands for it is mirrored instead.
    """
    file = file_of(release, *search)
    rows = _rows(file.with_name(f"{release}-read.txt"))
    return frozenset((path, name, text) for path, name, text, *_ in rows)


def below(release: str, *search: Path) -> list[str]:
    """The releases that one is laid over, the lowest first; mainline's, where it is not older."""
    over = [v.name for v in chain(get_overlay("release", release, *search), *search)]
    number = re.match(r"v(\d+)\.(\d+)", over[0])
    old = number is not None and (int(number[1]), int(number[2])) < (6, 12)
    return over[:-1] if old or MAINLINE in over else [MAINLINE, *over[:-1]]


def written_from(release: str, *search: Path) -> Mapping[tuple[str, str], Fingerprint]:
    """As `known`, and what a release has from those that it is laid over, as those had it.

    A function that nobody has read as of ``release`` has the fingerprint of the last that was.
    """
    out: dict[tuple[str, str], Fingerprint] = {}
    for name in (*below(release, *search), release):
        out.update(known(name, *search))
    return out


def source_of(release: str, *search: Path) -> str:
    """The tree that the fingerprints of a release were taken from; "" where there are none."""
    file = file_of(release, *search)
    first = file.read_text("utf-8").partition("\n")[0] if file.is_file() else ""
    found = re.search(r", from (.*); ", first)
    return found[1] if found else ""


@dataclass(slots=True)
class Drift:
    """How a function of a tree differs from the one that was mirrored.

    :param new: statements that were not there, as text
    :param gone: how many of the old ones are not there any more
    :param text: stands for all of the tree's function
    """

    new: list[str] = field(default_factory=list)
    gone: int = 0
    text: str = ""


def drift(old: Fingerprint, f: CFunction) -> Drift | None:
    """None where ``f`` is the function that ``old`` was taken from, up to blanks and comments."""
    text = fingerprint(f).text
    if text == old.text:
        return None
    now = statements(f)
    new = [t for h, texts in now.items() if h not in old.rows for t in texts]
    return Drift(new, sum(h not in now for h in old.rows), text)


def is_there(
    mirrored: Mapping[tuple[str, str], Fingerprint], before: CFunction, after: CFunction
) -> bool:
    """Whether what was mirrored has what turns ``before`` into ``after``, rather than not yet."""
    old = mirrored.get((after.path, after.name))
    if old is None:
        return False
    rows = set(old.rows)
    was, now = set(statements(before)), set(statements(after))
    return len((now - was) & rows) > len((was - now) & rows)

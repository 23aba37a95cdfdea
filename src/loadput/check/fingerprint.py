"""Fingerprints of the C that the specification was written from, and whether a tree still has it.

A line of ``spec/fingerprints/RELEASE.txt`` is a path, a function, the hash of its text without
blanks and comments, a short hash of each of its statements and tests, and one of each statement of
ours that has no part in it; no text of the kernel's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from ..base.errors import SourceError
from ..lang.carry import tree_of
from ..lang.cfront import CFunction, parse_function
from ..lang.cfront.clean import blank_comments
from ..link.overlay import SPEC

FOLDER = SPEC / "fingerprints"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One C function as it was: ``text`` stands for all of it, ``rows`` for its statements.

    :param alone: stand for the statements of ours that had no part in it
    """

    path: str
    name: str
    text: str
    rows: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()


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
    rows = [f"# The C that the specification mirrors, from {source}; tools/fingerprint.py\n"]
    for f in sorted(found, key=lambda f: (f.path, f.name)):
        lists = " ".join(",".join(x) or "-" for x in (f.rows, f.alone))
        rows.append(f"{f.path} {f.name} {f.text} {lists}\n")
    return "".join(rows)


@cache
def known(release: str) -> Mapping[tuple[str, str], Fingerprint]:
    """The fingerprints of a release, by path and name; none where it has no file."""
    file = FOLDER / f"{release}.txt"
    out = {}
    for line in file.read_text("utf-8").splitlines() if file.is_file() else ():
        if not line.startswith("#"):
            path, name, text, *lists = line.split(" ")
            rows, alone = (tuple(x.split(",")) if x != "-" else () for x in lists)
            out[path, name] = Fingerprint(path, name, text, rows, alone)
    return out


@dataclass(slots=True)
class Drift:
    """How a function of a tree differs from the one that was mirrored.

    :param new: statements that were not there, as text
    :param gone: how many of the old ones are not there any more
    """

    new: list[str] = field(default_factory=list)
    gone: int = 0


def drift(old: Fingerprint, f: CFunction) -> Drift | None:
    """None where ``f`` is the function that ``old`` was taken from, up to blanks and comments."""
    if fingerprint(f).text == old.text:
        return None
    now = statements(f)
    new = [t for h, texts in now.items() if h not in old.rows for t in texts]
    return Drift(new, sum(h not in now for h in old.rows))

"""Functions and constants that a patch calls otherwise: which name was which.

The kernel has the one no more and had the other not before, so that a reader who knows the old name
reads the same program under it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ..cfront import CFunction
from .diff import FileDiff, Hunk

ALIKE_RATIO = 0.6
"""Of the lines of two functions, how much is the same where one is the other under a new name."""
_DEFINED = re.compile(
    r"\s*#\s*define\s+(?P<macro>[A-Z]\w+)\s+(?P<value>\S.*?)\s*$"
    r"|KVM_X86_OP\w*\((?P<op>\w+)\)"
    r"|\s+(?P<item>[A-Z][A-Z0-9_]+)\s*(?P<number>=\s*[^,/]+?)?\s*,?\s*(?:/\*.*)?$"
)
_PLAIN_FIELD = re.compile(r"\w[\w ]*\*?\w+;")
_OPENED = re.compile(r"struct ?(?P<tag>\w+)? \{")
_PART = re.compile(r"\} (?P<closed>\w+);|struct (?P<tag>\w+) (?P<its>\w+);")
OP = "kvm_x86_"
_WORD = re.compile(r"\w+")


def renamed_constants(diffs: Sequence[FileDiff]) -> dict[str, str]:
    """Per enumerator, macro or operation of x86 that the diffs bring, the one that they take out in
    its place: with the same value, and spoken of by no line that stays.
    """
    pairs = dict(p for d in diffs for h in d.hunks for p in _exchanged(h))
    said: dict[str, set[str]] = {"+": set(), "-": set(), " ": set()}
    for d in diffs if pairs else ():
        for h in d.hunks:
            for kind, text, _ in h.body:
                said[kind].update(_WORD.findall(text))
    return {
        new: old
        for new, old in pairs.items()
        if old not in said["+"] | said[" "] and new not in said["-"] | said[" "]
    }


def moved_fields(diffs: Sequence[FileDiff]) -> dict[str, str]:
    """Per field that the diffs put into a part of its struct, as ``part.field``, its name.

    They take it out of that struct with the same type; the part is one that they bring.
    """
    rows = [(k, s, t) for d in diffs for h in d.hunks for k, s, t in _in_structs(h)]
    gone = {(s, t) for k, s, t in rows if k == "-" and _PLAIN_FIELD.fullmatch(t)}
    tagged: dict[str, list[str]] = {}
    out: dict[str, str] = {}
    part: list[str] = []
    tag = ""
    for _, struct, t in (r for r in rows if r[0] == "+"):
        m = _PART.fullmatch(t)
        if opened := _OPENED.fullmatch(t):
            part, tag = [], opened["tag"] or ""
        elif t == "};":
            tagged[tag] = part
        elif m:
            held = part if m["closed"] else tagged.get(m["tag"], [])
            names = [f.rstrip(";").split()[-1].lstrip("*") for f in held if (struct, f) in gone]
            out |= {f"{m['closed'] or m['its']}.{f}": f for f in names}
        elif _PLAIN_FIELD.fullmatch(t):
            part.append(t)
    return out


def _in_structs(h: Hunk) -> Iterator[tuple[str, str, str]]:
    """The lines of a hunk: how each is changed, the struct that it stands in, and its words."""
    heading = _OPENED.match(h.heading)
    struct = heading["tag"] or "" if heading else ""
    for k, text, _ in h.body:
        if opened := _OPENED.match(text):
            struct = opened["tag"] or ""
        elif text.startswith("}"):
            struct = ""
        yield k, struct, " ".join(text.split())


def _exchanged(h: Hunk) -> Iterator[tuple[str, str]]:
    """(name brought, name taken out) of definitions with the same value, in their order."""
    gone: list[tuple[str, str]] = []
    for kind, text, _ in h.body:
        m = _DEFINED.match(text) if kind != " " else None
        if m is None:
            continue
        name, value = m["macro"] or m["op"] or m["item"], m["value"] or m["number"] or ""
        if kind == "-":
            gone.append((name, value))
            continue
        old = next((n for n, v in gone if v == value), name)
        if old != name:
            gone.remove((old, value))
            yield name, old
            if m["op"]:
                yield OP + name, OP + old


def renamed_functions(
    gone: Iterable[CFunction],
    fresh: Iterable[CFunction],
    before: Sequence[CFunction],
    after: Sequence[CFunction],
) -> dict[str, str]:
    """Per function of ``fresh`` the one of ``gone`` that it is under another name, changed or not.

    :param before: every function of the files, where nobody may speak of the new name
    :param after: likewise, and of the old one
    """
    left = {f.name: f for f in gone if not _is_said(f.name, after)}
    out: dict[str, str] = {}
    for f in fresh:
        if _is_said(f.name, before):
            continue
        ratio, old = max(((_ratio(g, f), n) for n, g in left.items()), default=(0.0, ""))
        if ratio >= ALIKE_RATIO:
            out[f.name] = old
            del left[old]
    return out


def _is_said(name: str, functions: Sequence[CFunction]) -> bool:
    return any(name in f.text and re.search(rf"\b{name}\b", f.text) for f in functions)


def _ratio(a: CFunction, b: CFunction) -> float:
    """How much of two functions' bodies is the same; 0 where they stand in different files."""
    if a.path != b.path:
        return 0.0
    return difflib.SequenceMatcher(None, _body(a), _body(b), autojunk=False).ratio()


def _body(f: CFunction) -> list[str]:
    rows = [" ".join(t.split()) for t in f.text.partition("{")[2].split("\n")]
    return [t for t in rows if t and t != "}"]


def under_old_names(f: CFunction, names: Mapping[str, str]) -> CFunction:
    """``f`` with each of ``names`` as what it was."""
    words = [n for n in names if n in f.text]
    if not words:
        return f
    spoken = re.compile(rf"\b({'|'.join(map(re.escape, words))})\b")

    def of(text: str) -> str:
        return spoken.sub(lambda m: names[m[1]], text)

    lines = tuple(replace(ln, text=of(ln.text)) for ln in f.lines)
    return replace(f, name=names.get(f.name, f.name), text=of(f.text), lines=lines)

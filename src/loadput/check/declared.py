"""Fields and constants that the specification names, as a kernel tree declares them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from ..base.errors import SourceError
from ..base.text import load_text
from ..ir.decls import Decls
from ..lang.cfront.clean import blank_comments, close_of
from ..link.overlay import SPEC
from .mirrors import named_paths

FIELD, CONSTANT = "struct", "const"
_DECLARATOR = re.compile(r"([A-Za-z_]\w*)\s*(?:\[[^;]*?\]\s*)*(?::\s*\w+\s*)?$")
_POINTER = re.compile(r"\(\s*\*\s*(\w+)\s*\)\s*\(")
_MACRO = re.compile(r"^[A-Z_]+\w*\(\s*(?:struct\s+)?(\w+)\s*[,)]")


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration of a tree's: ``name`` is ``struct:NAME.FIELD`` or ``const:NAME``."""

    path: str
    name: str
    text: str


def sources(decls: Decls, paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Per struct and constant that is declared, the files of C where it may stand.

    :param paths: files that the architecture's functions are from: there too, if nowhere nearer
    """
    near = sorted({p for p in paths if p.endswith((".c", ".h"))})
    out: dict[str, tuple[str, ...]] = {}
    for name, struct in decls.structs.items():
        files = [struct.span.file, *(f.span.file for f in struct.fields.values())]
        told = [p for file in dict.fromkeys(files) for p in _told(file)]
        out[f"{FIELD}:{name}"] = tuple(dict.fromkeys([*told, *near]))
    every = {f.span.file for s in decls.structs.values() for f in s.fields.values()}
    told = [p for file in sorted(every) for p in _told(file)]
    for name in decls.consts:
        if name.isupper():
            out[f"{CONSTANT}:{name}"] = tuple(dict.fromkeys([*told, *near]))
    return out


@cache
def _told(file: str) -> tuple[str, ...]:
    """The files of C that the docstring at the top of a file of ours names."""
    at = SPEC.parent / file if file.startswith("spec/") else Path(file)
    if not at.is_file():
        return ()
    return named_paths(ast.get_docstring(ast.parse(load_text(at, file))) or "")


def declared_in(
    tree: Path, where: Mapping[str, tuple[str, ...]], decls: Decls
) -> dict[str, Declared]:
    """What ``where`` names and the tree declares, by name; of a struct the fields of ours."""
    out: dict[str, Declared] = {}
    for key, paths in where.items():
        kind, _, name = key.partition(":")
        for path in paths:
            text = _read(tree / path)
            if name not in text:
                continue
            found = _fields(text, name, decls) if kind == FIELD else _value(text, name)
            out.update({n: Declared(path, n, " ".join(t.split())) for n, t in found.items()})
            if found:
                break
    return out


@lru_cache(maxsize=1024)
def _read(file: Path) -> str:
    if not file.is_file():
        return ""
    text = file.read_text("utf-8", "replace")
    try:
        return blank_comments(text)
    except SourceError:
        return text


def _fields(text: str, struct: str, decls: Decls) -> dict[str, str]:
    ours = decls.structs[struct].fields
    got = fields_of(text, struct)
    return {f"{FIELD}:{struct}.{f}": got[f] for f in ours if f in got}


def fields_of(text: str, struct: str) -> dict[str, str]:
    """The declaration of each field of a struct that ``text`` defines, by the field's name.

    :param text: C without comments
    """
    m = re.search(
        rf"^[ \t]*(?:typedef\s+)?(?:struct|union)\s+{struct}\s*(?:__\w+\s*)?\{{", text, re.M
    )
    close = close_of(text, m.end() - 1) if m else -1
    if m is None or close < 0:
        return {}
    body = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", "", text[m.end() : close], flags=re.M)
    return dict(_members(body))


def _members(body: str) -> Iterable[tuple[str, str]]:
    """Each member and its declaration; those of a struct without a name are the outer one's."""
    at = 0
    while at < len(body):
        end = body.find(";", at)
        opens = body.find("{", at)
        if 0 <= opens < end:
            close = close_of(body, opens)
            end = body.find(";", close) if close >= 0 else -1
            if end < 0:
                return
            inner, tail = body[opens + 1 : close], body[close + 1 : end]
            names = re.findall(r"[A-Za-z_]\w*", re.sub(r"__\w+(?:\([^)]*\))?|\[[^]]*\]", "", tail))
            if not names:
                yield from _members(inner)
            for name in names:
                yield name, body[at:end]
        elif end < 0:
            return
        else:
            yield from _plain(body[at:end])
        at = end + 1


def _plain(text: str) -> Iterable[tuple[str, str]]:
    one = " ".join(text.split())
    special = _POINTER.search(one) or _MACRO.match(one)
    if special:
        yield special[1], one
        return
    one = re.sub(r"^randomized_struct_fields_(?:start|end)\s+", "", one)
    bare = re.sub(r"\s__\w+(?:\([^)]*\))?\s*$", "", one)
    first, *more = re.split(r",(?![^(\[]*[)\]])", bare)
    head = _DECLARATOR.search(first)
    if head is None:
        return
    kind = first[: head.start()].rstrip("* ")
    for part in (first[len(kind) :], *more):
        name = _DECLARATOR.search(part)
        if name is not None:
            yield name[1], f"{kind} {part.strip()}"


def _value(text: str, name: str) -> dict[str, str]:
    """What a macro or an enumerator stands for; of one without a value, its place in the enum."""
    key = f"{CONSTANT}:{name}"
    m = re.search(rf"^[ \t]*#[ \t]*define[ \t]+{name}[ \t]+((?:\\\n|[^\n])+)", text, re.M)
    if m:
        return {key: m[1].replace("\\\n", " ")}
    for m in re.finditer(r"\benum\b[^;{}()]*\{", text):
        close = close_of(text, m.end() - 1)
        base, n = "", 0
        for part in text[m.end() : close].split(",") if close >= 0 else ():
            member, _, value = (x.strip() for x in part.partition("="))
            base, n = (value, 0) if value else (base, n + 1)
            if member == name:
                return {key: f"{base}+{n}"}
    return {}


def headers_with(tree: Path, lost: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """Per struct or constant that is not where it was, the headers that name it.

    :param lost: the folders to look in
    """
    out = {}
    for key, rooms in lost.items():
        name = key.partition(":")[2]
        files = [f for room in rooms for f in sorted((tree / room).rglob("*.h")) if f.is_file()]
        told = [f for f in files if re.search(rb"\b%s\b" % name.encode(), f.read_bytes())]
        out[key] = tuple(str(f.relative_to(tree)) for f in told)
    return out


def owner_of(name: str) -> str:
    """The key in `sources` of what a fingerprint calls ``name``."""
    return name.partition(".")[0] if name.startswith(FIELD) else name


def is_named(name: str, decls: Decls, of: str = "") -> bool:
    """Whether a constant, or a field of a layer whose label starts with ``of``, has ``name``."""
    kind, _, plain = name.partition(":")
    if kind == CONSTANT:
        return not of and plain in decls.consts
    found = decls.find_field(*plain.split("."))
    return found is not None and found.origin.startswith(of)

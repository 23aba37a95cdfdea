"""Where C functions stand in a text: by brackets, so that prose around them does no harm."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...base.errors import SourceError
from ...base.source import Span
from .clean import (
    ANNOTATION_CALLS,
    ANNOTATIONS,
    blank_annotations,
    blank_comments,
    blank_string_bodies,
    close_of,
    words,
)

KEYWORDS = words(
    """if else while do for switch case default return goto break continue sizeof typeof
    alignof asm"""
)
TYPE_WORDS = words(
    """static extern const volatile register signed unsigned void bool _Bool char short int long
    float double struct union enum u8 u16 u32 u64 s8 s16 s32 s64 __u8 __u16 __u32 __u64 __s8
    __s16 __s32 __s64 __le32 __be32 uint ulong ushort pid_t"""
)
_BRACE = re.compile(r"[\w)=]\s*\{")
_HEAD = re.compile(r"[\w\s*]*\Z")


@dataclass(frozen=True, slots=True)
class Found:
    """One definition: ``text[start:end]`` is from its first type word to its closing brace."""

    name: str
    start: int
    end: int


def find_functions(
    text: str, *, prose: bool, file: str = "", whole_only: bool = False
) -> list[Found]:
    """Every function definition in ``text``, in order.

    :param prose: words may stand around the code, and only what surely is a C definition counts
    :param whole_only: leave out a definition that is cut off at the end, as hunks cut them
    :raises SourceError: LP0221, a definition whose closing brace is missing
    """
    plain = text if prose else blank_annotations(blank_string_bodies(blank_comments(text)))
    closes = {} if prose else _closing_braces(plain)
    out: list[Found] = []
    at = 0
    for m in _BRACE.finditer(plain):
        brace = m.end() - 1
        if brace < at:
            continue
        head = _header_before(plain, brace, prose)
        if head is None:
            if not prose and brace in closes:  # a struct, an initializer: no definitions inside
                at = closes[brace]
            continue
        name, start = head
        close = _close_in_prose(plain, brace) if prose else closes.get(brace, -1)
        if close < 0 and whole_only:
            break
        if close < 0:
            raise _unclosed(text, start, brace, name, file)
        out.append(Found(name, start, close + 1))
        at = close + 1
    return out


def _closing_braces(plain: str) -> dict[int, int]:
    """Where each ``{`` is closed; none for those that are not."""
    out: dict[int, int] = {}
    opened: list[int] = []
    for m in re.finditer(r"[{}]", plain):
        if m.group() == "{":
            opened.append(m.start())
        elif opened:
            out[opened.pop()] = m.start()
    return out


def _close_in_prose(plain: str, brace: int) -> int:
    """Offset of the closing brace, read as C from the brace on; -1 where there is none."""
    for size in (1 << 13, 1 << 17, len(plain)):
        part = plain[brace : brace + size]
        close = close_of(blank_string_bodies(blank_comments(part)), 0)
        if close >= 0:
            return brace + close
        if brace + size >= len(plain):
            break
    return -1


def _unclosed(text: str, start: int, at: int, name: str, file: str) -> SourceError:
    line = text.count("\n", 0, at) + 1
    col = at - (text.rfind("\n", 0, at) + 1) + 1
    return SourceError(
        "LP0221",
        f"function {name} has no closing brace",
        span=Span(file, line, col),
        line_text=text.split("\n")[line - 1],
        expected="the whole function, up to its '}'",
        next="paste the rest of the function",
    )


def _header_before(plain: str, brace: int, prose: bool) -> tuple[str, int] | None:
    """``(name, start)`` of the definition whose body opens at ``brace``, or None."""
    at = brace
    for _ in range(4):
        at = _skip_back(plain, at)
        word = re.search(r"\w+\Z", plain[max(0, at - 64) : at])
        if word and word.group() in ANNOTATIONS:
            at -= len(word.group())
            continue
        if at == 0 or plain[at - 1] != ")":
            return None
        opens = _open_of(plain, at - 1)
        if opens < 0:
            return None
        end = _skip_back(plain, opens)
        word = re.search(r"[A-Za-z_]\w*\Z", plain[max(0, end - 128) : end])
        if word is None or word.group() in KEYWORDS:
            return None
        if word.group() in ANNOTATION_CALLS:
            at = end - len(word.group())
            continue
        name_at = end - len(word.group())
        start = _type_start(plain, name_at, prose)
        return (word.group(), start) if start >= 0 else None
    return None


def _skip_back(plain: str, at: int) -> int:
    while at > 0 and plain[at - 1].isspace():
        at -= 1
    return at


def _open_of(plain: str, close: int) -> int:
    depth = 0
    for at in range(close, max(-1, close - 4000), -1):
        c = plain[at]
        if c in ";{}":
            return -1
        depth += (c == ")") - (c == "(")
        if depth == 0:
            return at
    return -1


def _type_start(plain: str, name_at: int, prose: bool) -> int:
    """Offset of the first type word in front of the name, or -1 where there is no type."""
    line_at = plain.rfind("\n", 0, name_at) + 1
    if not plain[line_at:name_at].strip(" \t*") and line_at > 0:
        line_at = plain.rfind("\n", 0, line_at - 1) + 1
    head = plain[line_at:name_at]
    if len(head) > 400 or not _HEAD.match(head):
        return -1
    kept = [w for w in re.findall(r"\w+", head) if w not in ANNOTATIONS]
    if not kept or kept[0] in KEYWORDS or "typedef" in kept:
        return -1
    known = [
        w in TYPE_WORDS
        or w.startswith("__")
        or w.endswith("_t")
        or (i > 0 and kept[i - 1] in ("struct", "union", "enum"))
        for i, w in enumerate(kept)
    ]
    sure = kept[0] in ("static", "extern", "const", "struct", "unsigned")
    if prose and not sure and not all(known):
        return -1
    if not prose and not any(known) and head[:1].isspace():
        return -1
    return line_at + len(head) - len(head.lstrip())

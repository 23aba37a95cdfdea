"""Reading the text of a file that somebody wrote: whatever it holds, only our errors come out."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from .errors import LoadputError, SourceError
from .source import Span

LARGEST = 4 << 20
"""Bytes: the whole specification has not one."""


def load_text(
    path: Path, shown: str = "", *, kind: type[LoadputError] = SourceError, code: str = "LP0213"
) -> str:
    """The text of a UTF-8 file, lines ended by newlines; raises an error with the place.

    :param shown: the name to show in places
    :param kind: which error, with ``code``
    """
    shown = shown or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as e:
        raise kind(
            code,
            f"cannot read {shown}: {os.strerror(e.errno) if e.errno else e}",
            where=shown,
            expected="a file that can be read",
            next="see whether it is there, a file, and may be read",
        ) from None
    if len(data) > LARGEST:
        raise kind(
            code,
            f"{shown} has more than {LARGEST >> 20} MiB",
            where=shown,
            expected="a file that somebody wrote by hand",
            next="name the right file",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        row = data[data.rfind(b"\n", 0, e.start) + 1 : e.start]
        raise kind(
            code,
            f"byte {data[e.start]:#04x} is not UTF-8",
            span=Span(shown, data.count(b"\n", 0, e.start) + 1, len(row.decode("utf-8")) + 1),
            got=f"byte {e.start + 1} of the file",
            expected="text in UTF-8",
            next=f"write it anew as UTF-8: iconv -f LATIN1 -t UTF-8 {shown}",
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def load_toml(
    path: Path, shown: str, *, kind: type[LoadputError], code: str, what: str
) -> tuple[dict[str, Any], str]:
    """A TOML file and its text; raises ``kind`` with ``code`` and the place.

    :param what: whose it is, for the message: ``scenario x``
    """
    text = load_text(path, shown, kind=kind, code=code)
    span, why = Span(shown, 1), ""
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as e:
        m = re.search(r" \(at line (\d+), column (\d+)\)$", str(e))
        span = Span(shown, int(m[1]), int(m[2])) if m else Span(shown, max(1, text.count("\n")))
        why = str(e)[: m.start()] if m else str(e)
    except RecursionError:
        rows = [row.count("[") + row.count("{") for row in text.split("\n")]
        span, why = Span(shown, rows.index(max(rows)) + 1), "nested too deep"
    except ValueError as e:  # a number of too many digits, a date that there is not
        why = str(e)
    lines = text.split("\n")
    raise kind(
        code,
        f"{what}: not TOML: {why}",
        span=span,
        line_text=lines[span.line - 1] if span.line <= len(lines) else None,
        expected="TOML: NAME = value, [table], [[list of tables]]",
        next="docs/scenarios.md and docs/museum.md have whole files",
    )


def find_key(text: str, key: str, shown: str, *, table: str = "", nth: int = 0) -> Span | None:
    """Where TOML ``text`` gives ``key``, in its ``nth`` table of that name; None where unseen."""
    rows = text.split("\n")
    inside, seen = "", -1
    header = re.compile(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?")
    line = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
    for i, row in enumerate(rows, 1):
        if m := header.match(row):
            inside = m[1]
            seen += inside == table
        if inside != table or (table and seen != nth):
            continue
        if m := line.match(row):
            col = len(row) - len(row.lstrip()) + 1
            return Span(shown, i, col, max(1, len(row.split("#")[0].rstrip()) - col + 1))
    return None

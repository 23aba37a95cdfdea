"""What a declaration says of itself beside its value: as it is written, and the comment above."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..base.source import Span

COMMENT = re.compile(r"\s*# ?")


@dataclass(frozen=True, slots=True)
class Told:
    """One declaration for who reads it.

    :param written: the type of a variable or field, the parameters of a function, the value of a
        constant; as they stand in the file
    :param about: the comment above, which stands for every line down to the next empty one
    """

    written: str
    about: str
    span: Span
    origin: str


def comment_above(lines: Sequence[str], line: int, *, own: bool = False) -> str:
    """The comment of the paragraph that ``line`` (from 1) is in, "" where it has none.

    :param own: only a comment that stands right above: a line without one has none
    """
    at = line - 2
    indent = _indent(lines[line - 1])
    while not own and at >= 0 and lines[at].strip() and not _is_comment(lines[at]):
        if _indent(lines[at]) != indent:
            return ""
        at -= 1
    end = at
    while at >= 0 and _is_comment(lines[at]) and _indent(lines[at]) == indent:
        at -= 1
    text = " ".join(COMMENT.sub("", row, count=1).strip() for row in lines[at + 1 : end + 1])
    return "" if text.startswith("[") else text


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def parameters(n: ast.FunctionDef) -> str:
    """``(pn: ptr[preempt_notifier], cpu: cpu) -> bool`` as it is written."""
    returns = f" -> {ast.unparse(n.returns)}" if n.returns else ""
    return f"({ast.unparse(n.args)}){returns}"

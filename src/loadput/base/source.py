"""Places in source text, so that an error or a counterexample can show the line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a source text: ``file:line:col`` (1-based), ``length`` characters on that line."""

    file: str
    line: int
    col: int = 1
    length: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col}"


NOWHERE = Span("-", 0, 0, 0)

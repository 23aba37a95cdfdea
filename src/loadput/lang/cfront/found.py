"""What is found in a text that holds C, with its place in what the user gave."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...base.errors import SourceError


@dataclass(frozen=True, slots=True)
class Line:
    """Where one line of C stands in what the user gave.

    :param shift: characters in front of the C on that line (a diff's ``+``)
    """

    file: str
    number: int
    text: str
    shift: int = 0


@dataclass(frozen=True, slots=True)
class CFunction:
    """One function of the user's, found but not yet parsed.

    :param text: its text, from its first type word to its closing brace
    :param lines: where each line of ``text`` stands; the first may begin inside its line
    :param assumed: configuration that its text rests on (``CONFIG_X=y``)
    :param path: the file it belongs to in the kernel tree, or "" where nothing says so
    :param problem: why it cannot be parsed, known already; `parse_function` raises it
    """

    name: str
    text: str
    lines: tuple[Line, ...]
    assumed: tuple[str, ...] = ()
    path: str = ""
    problem: SourceError | None = field(default=None, compare=False)

    @property
    def place(self) -> str:
        """``file:line`` of its first line."""
        return f"{self.lines[0].file}:{self.lines[0].number}"


def lines_of(text: str, file: str, line_offset: int = 0) -> list[Line]:
    """The lines of ``text`` as they stand in ``file``, the first being ``line_offset`` + 1."""
    return [Line(file, i + 1 + line_offset, t) for i, t in enumerate(text.split("\n"))]

"""The one family of errors. A finding (a violated property) is a result, never an error.

Each error names the place, the value, what was expected, and one next step; the parts are fields
and the text is rendered once, by :meth:`LoadputError.render`.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

from .source import Span


@dataclass(slots=True)
class LoadputError(Exception):
    """A mistake in what was given to us: exit code 2, one message, no traceback.

    :param code: stable code, ``LPnnnn``; ``loadput explain`` tells more
    :param what: one line: what is wrong, with the value
    """

    code: str
    what: str
    span: Span | None = None
    line_text: str | None = None
    got: str | None = None
    expected: str | None = None
    available: str | None = None
    next: str | None = None
    where: str | None = None

    exit_code = 2

    def __post_init__(self) -> None:
        Exception.__init__(self, self.what)

    def __str__(self) -> str:
        return self.render()

    def __reduce__(self) -> tuple[Any, ...]:
        fields = (self.code, self.what, self.span, self.line_text, self.got)
        return (type(self), (*fields, self.expected, self.available, self.next, self.where))

    def render(self) -> str:
        """The message as the user sees it: place, value, expected, next step."""
        out = [f"error[{self.code}]: {self.what}"]
        if self.span is not None and self.span.line > 0:
            where = f"   {self.where}" if self.where else ""
            out.append(f"  --> {self.span}{where}")
            if self.line_text is not None:
                text = self.line_text.rstrip("\n").replace("\t", "        ")
                shift = self.line_text[: self.span.col - 1].count("\t") * 7
                out.append(f"{self.span.line:5d} | {text}")
                caret = " " * (self.span.col - 1 + shift) + "^" * max(1, self.span.length)
                out.append(f"      | {caret}")
        elif self.where or self.span is not None:
            out.append(f"  --> {self.where or (self.span.file if self.span else '')}")
        for name in ("got", "expected", "available", "next"):
            value = getattr(self, name)
            if name == "next" and not value:
                value = f"loadput explain {self.code}"
            if value:
                rows = textwrap.wrap(value, 60, break_long_words=False, break_on_hyphens=False)
                out.append(f"  {name + ':':11s}{rows[0] if rows else ''}".rstrip())
                out += [f"{'':13s}{row}" for row in rows[1:]]
        return "\n".join(out)


class SourceError(LoadputError):
    """Kernel Python or kernel C that cannot be read or lowered."""


class LinkError(LoadputError):
    """Overlays that do not fit together."""


class IRError(LoadputError):
    """IR that is not well formed; raised by ``ir.spec.verify``."""


class LayoutError(LoadputError):
    """State that does not fit the packed layout."""


class ScenarioError(LoadputError):
    """A scenario that contradicts itself or asks for what is not there."""


class InputError(LoadputError):
    """An input file that holds nothing usable."""


class OutputError(LoadputError):
    """An output that cannot be written."""


class TraceError(LoadputError):
    """A trace that is broken or lacks what was asked for."""


class Interrupted(KeyboardInterrupt):
    """Work that was not begun: whoever waits for it wants an end, and what is decided."""


class TimeUp(Interrupted):
    """The time that the user gave is up."""


class InternalError(LoadputError):
    """Our bug: exit code 3, with a repro folder."""

    exit_code = 3

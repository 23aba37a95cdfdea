"""From a text that holds C to one `syntax.Def` per function, with places in the user's file."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence

from ...base.clock import look
from ...base.errors import SourceError
from .. import syntax as s
from .clean import blank_comments
from .config import DEFAULT_CONFIG, Region, assumed_for, choose_arms
from .find import find_functions
from .found import CFunction, Line, lines_of


def other_arms(f: CFunction) -> str:
    """What of a function's lines is in no arm of an ``#if`` that is chosen, without comments."""
    whole = blank_comments("\n".join(ln.text[ln.shift :] for ln in f.lines)).split("\n")
    out = []
    for raw, own in zip(whole, f.text.split("\n"), strict=False):
        out += [a if b == " " else " " for a, b in zip(raw, own.ljust(len(raw)), strict=False)]
        out.append(" ")
    return " ".join("".join(out).split()) if "#" in "".join(whole) else ""


def find_c_functions(
    text: str,
    lines: Sequence[Line],
    *,
    prose: bool = False,
    config: Mapping[str, bool] | None = None,
    names: Collection[str] | None = None,
    whole_only: bool = False,
) -> list[CFunction]:
    """The functions defined in ``text``; with ``names``, only those.

    :param lines: where each line of ``text`` stands
    :param prose: the text is a mail: words may stand around the code
    :param whole_only: leave out a function that is cut off at the end
    :raises SourceError: LP0221, a function without a closing brace
    """
    table = DEFAULT_CONFIG if config is None else config
    file = lines[0].file if lines else "-"
    regions: list[Region] = []
    if prose:
        plain = text
    else:
        plain, regions = choose_arms(blank_comments(text), table)
    out = []
    starts = [0, *(m.end() for m in re.finditer("\n", text))]
    for f in find_functions(plain, prose=prose, file=file, whole_only=whole_only):
        if names is not None and f.name not in names:
            continue
        first, last = bisect_right(starts, f.start) - 1, bisect_right(starts, f.end - 1) - 1
        own = plain[f.start : f.end]
        if prose:
            own, regions = choose_arms(blank_comments(own), table)
            for r in regions:
                r.first, r.last = r.first + first, r.last + first
        assumed: tuple[str, ...] = ()
        problem = None
        try:
            assumed = assumed_for(regions, first, last, lines)
        except SourceError as e:
            problem = e
        head = f.start - starts[first]
        out.append(
            CFunction(
                f.name, " " * head + own, tuple(lines[first : last + 1]), assumed, problem=problem
            )
        )
    return out


def parse_function(
    f: CFunction,
    origin: str,
    structs: Collection[str] | None = None,
    config: Mapping[str, bool] | None = None,
    *,
    lenient: bool = False,
) -> s.Def:
    """Return the function as a syntax tree.

    :param structs: the program's structs; a pointer to any other is opaque. None: `lower` decides
    :param lenient: a statement without a meaning here is no error but an `OpaqueStmt`
    :raises SourceError: LP0220 not C, LP0203 a construct that has no meaning here, LP0222 and
        LP0223 directives, LP0224 loop macros, LP0225 too large
    """
    look()
    from .parse import parse_one

    return parse_one(f, origin, structs, DEFAULT_CONFIG if config is None else config, lenient)


def parse_c(
    text: str,
    file: str,
    origin: str,
    structs: Collection[str] | None = None,
    *,
    line_offset: int = 0,
    lines: Sequence[Line] | None = None,
    prose: bool = False,
    config: Mapping[str, bool] | None = None,
    names: Collection[str] | None = None,
) -> list[s.Def]:
    """Return every function of ``text`` (those of ``names``) as a syntax tree, in order.

    >>> [d.name for d in parse_c("void f(int a)\\n{\\n\\tg(a);\\n}\\n", "x.c", "user:x.c")]
    ['f']

    :param file: the name to show in places
    :param origin: the overlay the functions belong to, such as ``user:mail.txt``
    :param line_offset: lines of the file in front of ``text``; or give ``lines`` outright
    :raises SourceError: LP0203, LP0220 to LP0225, with line and column in ``file``
    """
    at = list(lines) if lines is not None else lines_of(text, file, line_offset)
    found = find_c_functions(text, at, prose=prose, config=config, names=names)
    return [parse_function(f, origin, structs, config) for f in found]

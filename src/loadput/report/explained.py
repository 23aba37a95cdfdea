"""A property explained: sentence, condition, source, twins."""

from __future__ import annotations

import difflib
import textwrap

from ..api import all_properties
from ..base.errors import LoadputError
from ..link.overlay import find_overlays, source_line
from .text import WIDTH, wrap


def render_property(name: str) -> str:
    """The text of ``loadput explain NAME``; raises LP0505 for an unknown name."""
    known = all_properties()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        raise LoadputError(
            "LP0505",
            f"no property '{name}'" + (f"; nearest: {near[0]}" if near else ""),
            available=", ".join(known),
        )
    p = known[name]
    out = [name, *["  " + s for s in textwrap.wrap(p.sentence, WIDTH - 2)], ""]
    out += wrap(
        "looks",
        ", ".join(q.replace("at_", "at ").replace(":", " of ") for q in p.points)
        or {
            "stuck": "at states in which nothing can move but the environment",
            "always": "at every state",
            "builtin": "at every operation",
        }[p.kind],
    )
    if p.fn is not None:
        out += wrap("condition", f"{p.fn.span.file}:{p.fn.span.line}")
        first = p.fn.span.line
        rows = []
        for k in range(first, first + 40):
            line = source_line(type(p.fn.span)(p.fn.span.file, k))
            if line is None or (k > first and line and not line.startswith((" ", ")"))):
                break
            rows.append(line)
        out += ["", *(f"  {r}".rstrip() for r in rows if r.strip()), ""]
    out += wrap("source", p.source)
    twins = [
        t for t, v in find_overlays("twin").items() if name in v.breaks.replace("_", "-").split(",")
    ]
    twins += [p.twin] if p.twin and p.twin not in twins else []
    out += wrap("violated by", ", ".join(f"twin {t}" for t in twins) or "nothing shipped")
    if twins:
        v = find_overlays("twin").get(twins[0])
        arch = f" --arch {v.arch.split(',')[0]}" if v and v.arch else ""
        out += wrap("see", f"loadput check --twin {twins[0]}{arch}")
    return "\n".join(out) + "\n"

"""A property explained: sentence, condition, source, twins."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Mapping

from ..base.errors import LoadputError
from ..check.museum import entries
from ..link.hooks import Property
from ..link.overlay import Overlay, find_overlays, source_line
from .text import WIDTH, wrap


def render_property(name: str, known: Mapping[str, Property]) -> str:
    """The text of ``loadput explain NAME``; raises LP0505 for a name that is not in ``known``."""
    name = next((p.name for p in known.values() if name in p.replaces), name)
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
    if p.replaces:
        out += wrap("replaces", ", ".join(p.replaces))
    twins = [t for t, v in find_overlays("twin").items() if name in _broken_by(v)]
    once = [n for n in entries() if name in _broken_by(find_overlays("museum")[n])]
    twins += [p.twin] if p.twin and p.twin not in (*twins, *once) else []
    broken = [*(f"twin {t}" for t in twins), *(f"museum {n}" for n in once)]
    out += wrap("violated by", ", ".join(broken) or "nothing shipped")
    if not twins and once:
        out += wrap("see", f"loadput museum {once[0]}")
    if twins:
        v = find_overlays("twin").get(twins[0])
        arch = f" --arch {v.archs[0]}" if v and v.arch else ""
        design = f" --design {v.parent}" if v and v.parent not in ("", "D") else ""
        design += f" --release {v.release}" if v and v.release else ""
        scenario = f" --scenario {v.scenario}" if v and v.scenario else ""
        out += wrap("see", f"loadput check --twin {twins[0]}{arch}{design}{scenario}")
    return "\n".join(out) + "\n"


def _broken_by(twin: Overlay) -> list[str]:
    return [p.strip().replace("_", "-") for p in twin.breaks.split(",")]

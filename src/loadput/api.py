"""What the command line does, for Python: typed results, the same engines.

>>> r = check(Choice("riscv"), load_scenario("one"))
>>> r.verdict
'holds'
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .check.compare import compare
from .check.museum import entries
from .check.verdict import Result, check
from .ir.text import render_function
from .link.overlay import find_overlays
from .link.program import Choice, Program, Property, link
from .link.scenario import Scenario, load_scenario, make_scenario
from .machine.model import build_machine
from .run.explore import Limits

if TYPE_CHECKING:
    from .trace import Trace

__all__ = [
    "Choice",
    "Limits",
    "Program",
    "Property",
    "Result",
    "Scenario",
    "all_properties",
    "build_machine",
    "check",
    "compare",
    "link",
    "load_scenario",
    "make_scenario",
    "read_trace",
    "render_function",
]


def all_properties() -> dict[str, Property]:
    """Every property by name, as the first architecture and design that it applies to has it."""
    out: dict[str, Property] = {}
    archs = [n for n, v in find_overlays("arch").items() if not v.abstract]
    asked = [(Choice(arch, design), "one") for arch in archs for design in ("D", "B")]
    # Some are asked only where a scenario has what they are about.
    special = {(e.arch, e.scenario, e.release) for e in entries().values()}
    twins = [v for v in find_overlays("twin").values() if v.scenario]
    special |= {(a, v.scenario, Choice().release) for v in twins for a in v.arch.split(",")}
    special.add(("svm", "ldt-one", Choice().release))
    asked += [(Choice(arch, release=r), s) for arch, s, r in sorted(special) if s != "one"]
    written = [(v.arch, n) for n, v in find_overlays("release").items() if v.arch]
    asked += [(Choice(arch, release=r), "one") for arch, r in written]
    for choice, scenario in asked:
        for p in link(choice, load_scenario(scenario)).properties:
            if p.name not in out or (out[p.name].applies and not p.applies):
                out[p.name] = p
    return dict(sorted(out.items()))


def read_trace(path: str | Path) -> Trace:
    """Open a recording; see `loadput.trace.read_trace`."""
    from .trace import read_trace as read

    return read(path)

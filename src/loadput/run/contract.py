"""What an engine must do to be one: find exactly what the interpreter finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..machine.model import Machine
from .exploration import Exploration, Limits
from .explore import explore

Engine = Callable[[Machine, Limits], Exploration]
Case = tuple[str, Machine, Limits]
FIELDS = (
    *("finished", "stopped_by", "states", "transitions", "depth", "levels"),
    *("first", "fired", "fired_at", "nodes"),
)


def differences(got: Exploration, want: Exploration) -> list[str]:
    """One line per field in which ``got`` is not ``want``."""
    out = []
    for name in FIELDS:
        a, b = getattr(got, name), getattr(want, name)
        if a == b:
            continue
        if isinstance(a, set):
            a, b = sorted(a.difference(b)), sorted(b.difference(a))
        elif isinstance(a, dict):
            keys = sorted(k for k in a.keys() | b.keys() if a.get(k) != b.get(k))
            a, b = {k: a.get(k) for k in keys}, {k: b.get(k) for k in keys}
        out.append(f"{name}: got {a}, the interpreter has {b}")
    return out


def run_engine_contract(engine: str | Engine, cases: Iterable[Case]) -> list[str]:
    """Return what ``engine`` finds otherwise than the interpreter; an empty list is the pass.

    Compared: states, transitions, depth, states per depth, the path to each violated property, how
    often each control point fired, the nodes passed, and how it ended. Give only limits that do not
    depend on time or memory.

    :param engine: "native", or a function as ``explore`` is with a machine and limits
    :param cases: (name, machine, limits), small enough for the interpreter
    """
    out = []
    for name, machine, limits in cases:
        want = explore(machine, engine="interp", limits=limits)
        if isinstance(engine, str):
            got = explore(machine, engine=engine, limits=limits)
        else:
            got = engine(machine, limits)
        out += [f"{name}: {line}" for line in differences(got, want)]
    return out

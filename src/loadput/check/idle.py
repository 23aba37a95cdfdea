"""What a change leaves without a step: functions that the program runs and, with it, never does."""

from __future__ import annotations

from ..link.program import Program
from .verdict import Result


def idle_now(after: Result, before: Result) -> list[str]:
    """Functions of which ``before`` takes steps and ``after`` none, by name.

    Nothing where one of the searches did not see every state. Functions of properties and monitors
    are left out.
    """
    if after.stopped_by or before.stopped_by:
        return []
    return sorted(steps_of(before) - steps_of(after))


def steps_of(r: Result) -> set[str]:
    """The functions that some state's step comes from."""
    nodes, watch = r.exploration.nodes, watchers(r.built.program)
    return {
        n.stack[-1]
        for n in r.machine.graph.nodes
        if n.id in nodes and n.stack and not watch & set(n.stack)
    }


def watchers(p: Program) -> set[str]:
    """The functions of properties and monitors, by name."""
    hooks = {h.name for hs in p.hooks.values() for h in hs}
    return hooks | {q.fn.name for q in p.properties if q.fn}

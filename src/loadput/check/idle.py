"""What a change leaves without a step: functions that the program runs and, with it, never does."""

from __future__ import annotations

from collections.abc import Collection

from ..ir import ops as o
from ..link.program import Program
from .verdict import Result


def idle_now(after: Result, before: Result) -> list[str]:
    """Functions of which ``before`` takes steps and ``after`` none, by name.

    Nothing where one of the searches did not see every state. Functions of properties and monitors
    are left out.
    """
    if after.stopped_by or before.stopped_by:
        return []
    idle = steps_of(before) - steps_of(after)
    return sorted(n for n in idle if not _is_empty(after.built.program, n, idle))


def _is_empty(p: Program, name: str, idle: Collection[str]) -> bool:
    """Whether a function may be called still, and take no step: all that it does is to call what
    takes none.
    """
    fn = p.functions.get(name)
    if fn is None:
        return False
    calls = {op.fn for b in fn.blocks for op in b.ops if isinstance(op, o.Call)} - {name}
    return all(isinstance(op, (o.Call, *o.TERMINATORS)) for b in fn.blocks for op in b.ops) and all(
        n not in p.functions or (n in idle and _is_empty(p, n, idle)) for n in calls
    )


def steps_of(r: Result) -> set[str]:
    """The functions that some state's step comes from, or from what they call."""
    nodes, watch = r.exploration.nodes, watchers(r.built.program)
    return {
        f
        for n in r.machine.graph.nodes
        if n.id in nodes and not watch & set(n.stack)
        for f in n.stack
    }


def watchers(p: Program) -> set[str]:
    """The functions of properties and monitors, by name."""
    hooks = {h.name for hs in p.hooks.values() for h in hs}
    return hooks | {q.fn.name for q in p.properties if q.fn}

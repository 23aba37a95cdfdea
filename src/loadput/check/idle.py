"""What a change leaves without a step: functions that the program runs and, with it, never does."""

from __future__ import annotations

from collections.abc import Iterator

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
    idle, program = steps_of(before) - steps_of(after), after.built.program
    return sorted(n for n in idle if n not in program.functions or not _is_empty(program, n))


def _is_empty(p: Program, name: str, met: tuple[str, ...] = ()) -> bool:
    """Whether a function may be called still, and take no step: all that it does, where the
    scenario's constants let it, is to call what takes none.
    """
    fn = p.functions.get(name)
    if fn is None or name in met:
        return True
    for op in _open_ops(fn, p):
        if isinstance(op, o.Call):
            if not _is_empty(p, op.fn, (*met, name)):
                return False
        elif not isinstance(op, o.TERMINATORS):
            return False
    return True


def _open_ops(fn: o.Function, p: Program) -> Iterator[o.Op]:
    """The operations that no constant shuts off."""
    blocks = {b.label: b.ops for b in fn.blocks}
    seen: set[str] = set()
    todo = [fn.blocks[0].label]
    while todo:
        label = todo.pop()
        if label in seen:
            continue
        seen.add(label)
        yield from blocks[label]
        last = blocks[label][-1]
        if isinstance(last, o.Jump):
            todo.append(last.to)
        elif isinstance(last, o.Branch):
            way = _known(last.cond, p)
            todo += [last.then] * (way is not False) + [last.other] * (way is not True)


def _known(e: o.Expr, p: Program) -> bool | None:
    """What a test of constants alone comes to; None where it asks for more."""
    if isinstance(e, o.Const):
        return bool(e.value)
    if isinstance(e, o.Sym):
        return bool(p.decls.consts[e.name])
    if isinstance(e, o.Un) and e.op == "not":
        way = _known(e.a, p)
        return None if way is None else not way
    return None


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

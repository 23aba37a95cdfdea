"""Which places a program writes, with the constants of its scenario."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..ir import ops as o
from ..ir.eval import fold


def written_places(
    functions: Mapping[str, o.Function], entries: Iterable[str], consts: Mapping[str, int]
) -> frozenset[str]:
    """What a function that ``entries`` reach stores to, where no constant keeps it from that."""
    out: set[str] = set()
    todo = [n for n in entries if n in functions]
    seen = set(todo)
    while todo:
        for op in _live_ops(functions[todo.pop()], consts):
            if isinstance(op, o.Store | o.Fresh):
                out.add(op.place.var)
            elif isinstance(op, o.Call) and op.fn in functions and op.fn not in seen:
                seen.add(op.fn)
                todo.append(op.fn)
    return frozenset(out)


def _live_ops(fn: o.Function, consts: Mapping[str, int]) -> Iterable[o.Op]:
    blocks = {b.label: b.ops for b in fn.blocks}
    todo = [fn.blocks[0].label]
    seen = set(todo)
    while todo:
        for op in blocks[todo.pop()]:
            yield op
            for label in _targets(op, consts):
                if label not in seen:
                    seen.add(label)
                    todo.append(label)


def _targets(op: o.Op, consts: Mapping[str, int]) -> list[str]:
    if isinstance(op, o.Jump):
        return [op.to]
    if not isinstance(op, o.Branch):
        return []
    cond = _known(op.cond, consts)
    if isinstance(cond, o.Const):
        return [op.then if cond.value else op.other]
    return [op.then, op.other]


def _known(e: o.Expr, consts: Mapping[str, int]) -> o.Expr:
    if isinstance(e, o.Sym):
        return o.Const(consts[e.name], e.name)
    if isinstance(e, o.Un):
        return fold(o.Un(e.op, _known(e.a, consts)))
    if isinstance(e, o.Bin):
        return fold(o.Bin(e.op, _known(e.a, consts), _known(e.b, consts)))
    return e

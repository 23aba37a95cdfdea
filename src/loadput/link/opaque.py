"""A program in which what has no value in the model has one after all: always the same."""

from __future__ import annotations

from dataclasses import replace

from ..ir import ops as o
from .program import Program


def fix_opaque(p: Program, how: str) -> Program:
    """Every opaque value at the ``low`` or the ``high`` end of its range; ``any``: as it is.

    What is violated both ways does not rest on such a value.
    """
    if how == "any":
        return p
    low = how == "low"
    functions = {n: _function(f, p, low) for n, f in p.functions.items()}
    return replace(p, functions=functions)


def _function(f: o.Function, p: Program, low: bool) -> o.Function:
    blocks = tuple(replace(b, ops=tuple(_op(op, p, low) for op in b.ops)) for b in f.blocks)
    return f if blocks == f.blocks else replace(f, blocks=blocks)


def _op(op: o.Op, p: Program, low: bool) -> o.Op:
    if isinstance(op, o.Choose) and op.why.startswith("opaque "):
        return o.Assign(op.dst, op.lo if low else op.hi, op.span)
    if isinstance(op, o.Call) and op.dst and op.fn not in p.functions:
        return o.Assign(op.dst, o.Const(0 if low else 1), op.span)
    return op

"""Locals that count up to what nobody knows: any number, where too many would be followed."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from ..ir import ops as o
from ..ir.types import BOOL, Int

FOLLOWED = 2_000  # values of one local: more is a counter without an end that is known
SOME = 64  # values of one local in a program that is too large
COUNTED = "opaque count"
LOW, HIGH = -1, 4
"""What a counter may be where its use tells nothing."""


class Counts(Exception):
    """``args``: a function and the local in it that counts."""


def uncounted(f: o.Function, name: str, known: Container[str]) -> o.Function | None:
    """``f`` in which all that rests on local ``name`` is any value, each time anew.

    So a loop may end after each turn. None where it is used as a place, or given to a function
    that is ``known`` and may use it as one.
    """
    on = {name}
    ops = [op for b in f.blocks for op in b.ops]
    while more := {x.dst for x in ops if isinstance(x, o.Assign) and _reads(x.expr, on)} - on:
        on |= more
    for op in ops:
        place = op.place if isinstance(op, o.Load | o.Store | o.Fresh) else None
        if place is not None and (_reads(place.index, on) or _reads(place.sub, on)):
            return None
        if isinstance(op, o.Call) and op.fn in known and any(_reads(a, on) for a in op.args):
            return None
        if isinstance(op, o.Assign) and op.dst in on and not isinstance(f.type_of(op.dst), Int):
            return None
    why = f"{COUNTED} {name}"
    test = o.Local(f".{name}")
    blocks = []
    for b in f.blocks:
        out: list[o.Op] = []
        for op in b.ops:
            if isinstance(op, o.Assign) and _reads(op.expr, on):
                out.append(_any(op.dst, f.type_of(op.dst) == BOOL, why, op))
            elif isinstance(op, o.Branch) and _reads(op.cond, on):
                out += [_any(test.name, True, why, op), replace(op, cond=test)]
            else:
                out.append(op)
        blocks.append(replace(b, ops=tuple(out)))
    return replace(f, blocks=tuple(blocks), locals=(*f.locals, (test.name, BOOL)))


def _any(dst: str, is_bool: bool, why: str, at: o.Assign | o.Branch) -> o.Op:
    low, high = (0, 1) if is_bool else (LOW, HIGH)
    return o.Choose(dst, o.Const(low), o.Const(high), why, at.span)


def _reads(e: o.Expr | None, names: set[str]) -> bool:
    return any(isinstance(x, o.Local) and x.name in names for x in o.walk(e))

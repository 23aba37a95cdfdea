"""What a @forget hook calls dead is watched: whoever reads it before it is written says so.

A hook only proposes. Each variable that hooks set has a shadow that says which of its elements are
taken for dead; a load of one that is needed violates `DEAD_IS_READ`, and the program is then
explored without the hooks. So where a search ends without that, no value that was forgotten has
mattered: the states that it made one behave alike.
"""

from __future__ import annotations

from dataclasses import replace

from ..ir import ops as o
from ..ir.types import BOOL, Type
from ..lang.guess import INT

DEAD_IS_READ = "DEAD-IS-READ"
SHADOW = "__dead"
LATE = "__late"
"""What counts, per element of a variable, the stores to it that wait in some CPU's buffer."""


def is_shadow(var: str) -> bool:
    """Whether a variable says what is taken for dead."""
    return var.endswith(SHADOW)


def is_late(var: str) -> bool:
    """Whether a variable counts stores that wait."""
    return var.endswith(LATE)


def base_of(var: str) -> str:
    """The variable of the program that one like these two is about; else ``var`` itself."""
    return var.removesuffix(SHADOW).removesuffix(LATE)


def forgotten(functions: dict[str, o.Function]) -> set[str]:
    """The variables that the @forget hooks among ``functions`` set."""
    return {
        op.place.var
        for f in functions.values()
        if "forget" in f.attrs
        for b in f.blocks
        for op in b.ops
        if isinstance(op, o.Store)
    }


def watch(fn: o.Function, dead: set[str]) -> o.Function:
    """``fn`` with each access to a variable of ``dead`` noted in, or checked by, its shadow."""
    forgets = "forget" in fn.attrs
    more: dict[str, Type] = {}
    blocks = []
    for b in fn.blocks:
        ops: list[o.Op] = []
        for op in b.ops:
            if not isinstance(op, o.Load | o.Store | o.Fresh) or op.place.var not in dead:
                ops.append(op)
                continue
            at = replace(op.place, var=op.place.var + SHADOW)
            if not isinstance(op, o.Load):
                ops += [op, o.Store(at, o.Const(int(forgets)), "plain", op.span)]
            elif forgets:
                ops.append(op)
            else:
                was, mine = f"{op.dst}.was", op.dst + SHADOW
                more |= {was: INT, mine: BOOL}
                # The place is named once more after the load, which may overwrite what names it.
                ops += [
                    o.Assign(was, o.Local(op.dst), op.span),
                    op,
                    o.Load(mine, _renamed(at, op.dst, was), "plain", op.span),
                    o.Check(DEAD_IS_READ, o.Un("not", o.Local(mine)), op.span),
                ]
        blocks.append(o.Block(b.label, tuple(ops)))
    return replace(fn, blocks=tuple(blocks), locals=(*fn.locals, *more.items()))


def _renamed(p: o.Place, name: str, to: str) -> o.Place:
    def rename(e: o.Expr) -> o.Expr:
        if isinstance(e, o.Un):
            return replace(e, a=rename(e.a))
        if isinstance(e, o.Bin):
            return replace(e, a=rename(e.a), b=rename(e.b))
        return o.Local(to) if e == o.Local(name) else e

    return replace(p, index=p.index and rename(p.index), sub=p.sub and rename(p.sub))

"""An inlined call, a place in it, and what is known there of the locals: part of the node.

A local that holds a constant, or a copy of another, is not state.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from ..base.errors import LinkError
from ..base.source import Span
from ..ir import ops as o
from ..ir.locals import assigned, liveness

MAX_DEPTH = 40
Env = tuple[tuple[tuple[int, str], o.Expr], ...]


@dataclass(slots=True, eq=False)
class Inst:
    """One inlined call: where it returns to, and what its parameters stand for.

    :param outer: the locals of its callers that are live when it has returned
    """

    id: int
    fn: o.Function
    parent: Inst | None
    back: tuple[str, int]
    dst: str
    subst: dict[str, o.Expr]
    stack: tuple[str, ...]
    outer: frozenset[tuple[int, str]]


class Ctx(NamedTuple):
    inst: Inst
    label: str
    i: int
    depth: int
    irqs_off: bool
    atomic: int
    env: Env
    pending: tuple[tuple[tuple[int, str], o.Expr, Span], ...] = ()

    def at(self, label: str, i: int, env: Env) -> Ctx:
        """Elsewhere, with ``env``; `_replace` takes three times as long."""
        c = self
        return Ctx(c.inst, label, i, c.depth, c.irqs_off, c.atomic, env, c.pending)


def qualified(inst: int, name: str) -> str:
    """The name of a local of one inlined call, unique in its graph."""
    return f"{inst}:{name}"


def in_order(env: dict[tuple[int, str], o.Expr]) -> Env:
    return tuple(sorted(env.items(), key=itemgetter(0)))


class Calls:
    """The inlined calls of some functions, and which of their locals are live where."""

    def __init__(self, functions: dict[str, o.Function]) -> None:
        self.live = {n: liveness(f) for n, f in functions.items()}
        self.assigned = {n: assigned(f) for n, f in functions.items()}
        self.read_by: dict[int, tuple[o.Expr, frozenset[str]]] = {}
        self.insts: dict[object, Inst] = {}

    def inst(
        self,
        kind: str,
        fn: o.Function,
        parent: Inst | None,
        back: tuple[str, int],
        dst: str,
        subst: dict[str, o.Expr],
    ) -> Inst:
        """The inlined call of ``fn`` from there; raises LinkError LP0410 where it recurs."""
        key = (
            kind,
            fn.name,
            parent.id if parent else -1,
            back,
            frozenset(subst.items()),
        )
        if key not in self.insts:
            stack = (*(parent.stack if parent else ()), fn.name)
            if len(stack) > MAX_DEPTH:
                raise LinkError(
                    "LP0410",
                    f"{fn.name} is called too deep",
                    got=" > ".join(stack[-6:]),
                    expected="no recursion",
                    span=fn.span,
                )
            outer: frozenset[tuple[int, str]] = frozenset()
            if parent is not None:
                live = self.live[parent.fn.name][back[0]][back[1]] - {dst}
                outer = parent.outer | {(parent.id, n) for n in live}
            self.insts[key] = Inst(len(self.insts), fn, parent, back, dst, subst, stack, outer)
        return self.insts[key]

    def unset(self, inst: Inst) -> Env:
        """The locals that may be read before they are set: they are 0 in each call."""
        first = inst.fn.blocks[0].label
        names = self.live[inst.fn.name][first][0] - {n for n, _ in inst.fn.params}
        return tuple(sorted(((inst.id, n), o.Const(0)) for n in names))

    def prune(self, c: Ctx) -> Env:
        """What is known of the locals that are live at ``c``."""
        own, outer = c.inst.id, c.inst.outer
        live = self.live[c.inst.fn.name][c.label][c.i]
        return tuple(
            kv for kv in c.env if (kv[0][1] in live if kv[0][0] == own else kv[0] in outer)
        )

    def is_live(self, c: Ctx, key: tuple[int, str]) -> bool:
        """Whether local ``key`` may be read from ``c`` on."""
        inst = c.inst
        if key[0] == inst.id:
            return key[1] in self.live[inst.fn.name][c.label][c.i]
        return key in inst.outer

    def dependents(self, c: Ctx, key: tuple[int, str]) -> Ctx | None:
        """``c`` with its copies of local ``key`` to be saved, before that is written; or None."""
        q = qualified(*key)
        hit = [
            (k, e)
            for k, e in c.env
            if k != key
            and not isinstance(e, o.Const)
            and q in self.locals_in(e)
            and self.is_live(c, k)
        ]
        if not hit:
            return None
        keys = {k for k, _ in hit}
        env = tuple(kv for kv in c.env if kv[0] not in keys)
        span = c.inst.fn.span
        return c._replace(env=env, pending=tuple((k, e, span) for k, e in hit))

    def locals_in(self, e: o.Expr) -> frozenset[str]:
        """The locals that ``e`` reads; a copy in an environment is asked many times."""
        known = self.read_by.get(id(e))
        if known is None:
            names = frozenset(x.name for x in o.walk(e) if isinstance(x, o.Local))
            known = self.read_by[id(e)] = (e, names)
        return known[1]

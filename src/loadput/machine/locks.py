"""A CPU's own lock, taken and given back with its interrupts off: nobody there waits for it."""

from __future__ import annotations

from collections.abc import Collection

from ..ir import ops as o
from .nodes import End, Graph, Node, Push

MOST = 20_000
"""Places of one walk, each with what is known there; beyond, the lock counts as met."""
Fact = tuple[tuple[o.Expr, o.Expr], bool]
At = tuple[int, bool, frozenset[Fact]]


def is_held_shut(g: Graph, var: str, here: Collection[int]) -> bool:
    """Whether each CPU's ``var`` is set by that CPU alone, and cleared before anything else of the
    CPU can come in: its interrupts are off all the way, on every way that two equal tests allow.

    :param here: the accesses that are to data of the CPU that they run on
    """
    stores = [n for n in g.nodes if isinstance(n.op, o.Store | o.Fresh) and n.op.place.var == var]
    if any(n.id not in here or isinstance(n.op, o.Fresh) for n in stores):
        return False
    begins = _beginnings(g)
    takes = {begins.get(n.id, n.id) for n in stores if n.op.expr != o.Const(0)}  # type: ignore[union-attr]
    return all(_is_given_back(g, var, i) for i in sorted(takes))


def _beginnings(g: Graph) -> dict[int, int]:
    """Per node of an atomic region, the one that begins it."""
    out: dict[int, int] = {}
    for n in g.nodes:
        if isinstance(n.op, o.Atomic) and n.op.on:
            todo = list(n.next)
            while todo:
                i = todo.pop()
                if i not in out and g.nodes[i].atomic:
                    out[i] = n.id
                    todo += g.nodes[i].next
    return out


def _is_given_back(g: Graph, var: str, begin: int) -> bool:
    """Whether, of what is taken from ``begin`` on, nothing is held where others of the CPU run."""
    todo: list[At] = [(begin, False, frozenset())]
    seen: set[At] = set()
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        if len(seen) > MOST:
            return False
        seen.add(at)
        n, held = g.nodes[at[0]], at[1]
        if held and (
            isinstance(n.op, End | Push) or not (n.atomic or n.irqs_off or n.kind == "irq")
        ):
            return False
        if held and _gives_up_or_looks(n, var):
            return False
        if isinstance(n.op, o.Store) and n.op.place.var == var:
            held = n.op.expr != o.Const(0)
        if held or n.atomic or n.id == begin:
            todo += [(i, held, facts) for i, facts in _onward(n, at[2], learn=not held)]
    return True


def _gives_up_or_looks(n: Node, var: str) -> bool:
    """Whether who holds the lock goes on as another task there, or asks for it once more."""
    op = n.op
    if isinstance(op, o.Store):
        return op.place.var == "current_task"
    return isinstance(op, o.Load) and op.place.var == var


def _onward(n: Node, known: frozenset[Fact], *, learn: bool) -> list[tuple[int, frozenset[Fact]]]:
    """Where it can go on from ``n``, with which pairs are known to be equal or not: what was found
    on the way to taking the lock decides what comes after.
    """
    op = n.op
    if isinstance(op, o.Branch) and (pair := _pair(op.cond)) is not None:
        both, equal = pair
        out = []
        for side, i in zip((True, False), n.next, strict=True):
            fact = both, side == equal
            if (both, not fact[1]) not in known:
                out.append((i, known | {fact} if learn else known))
        return out
    dst = o.dst_of(op) if isinstance(op, o.Load | o.Choose | o.Assign) else ""
    if isinstance(op, o.Store) and op.place.var == "current_task":
        known = frozenset()
    if dst:
        gone = {f for f in known if any(_reads(e, dst) for e in f[0])}
        known = known - gone
    return [(i, known) for i in n.next]


def _pair(cond: o.Expr) -> tuple[tuple[o.Expr, o.Expr], bool] | None:
    """The two sides of a test for equality, in one order, and whether it is true where they are
    equal; None for another one, or of what is not as it was a moment later.
    """
    if isinstance(cond, o.Un) and cond.op == "not":
        inner = _pair(cond.a)
        return None if inner is None else (inner[0], not inner[1])
    if not isinstance(cond, o.Bin) or cond.op not in ("eq", "ne"):
        return None
    if not all(
        isinstance(x, o.Local | o.Const | o.Leaf | o.Bin)
        for e in (cond.a, cond.b)
        for x in o.walk(e)
    ):
        return None
    a, b = sorted((cond.a, cond.b), key=repr)
    return (a, b), cond.op == "eq"


def _reads(e: o.Expr, name: str) -> bool:
    return any(isinstance(x, o.Local) and x.name == name for x in o.walk(e))

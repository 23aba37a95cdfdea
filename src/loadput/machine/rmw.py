"""A task's read-modify-writes: its own put and load, through the notifier, come in the middle.

A lost update is then two steps. A lone read or write of what put and load touch is not.
"""

from __future__ import annotations

from ..ir import ops as o
from .nodes import Graph, Node


def read_modify_writes(g: Graph) -> set[int]:
    """Nodes with preemption on that read what a later one writes back, and those that write."""
    loads: dict[str, list[Node]] = {}
    taken_from: dict[str, set[str]] = {}
    mine = [n for n in g.nodes if n.kind == "main" and not n.fixed and not n.atomic]
    for n in mine:
        if isinstance(n.op, o.Load):
            loads.setdefault(n.op.dst, []).append(n)
        elif isinstance(n.op, o.Assign):
            taken_from.setdefault(n.op.dst, set()).update(_locals(n.op.expr))
    out: set[int] = set()
    for n in mine:
        if isinstance(n.op, o.Store):
            read = [
                r
                for name in _closure(_locals(n.op.expr), taken_from)
                for r in loads.get(name, ())
                if isinstance(r.op, o.Load) and r.op.place.var == n.op.place.var
            ]
            out |= {n.id, *(r.id for r in read)} if read else set()
    return out


def _closure(names: set[str], taken_from: dict[str, set[str]]) -> set[str]:
    todo, out = list(names), set[str]()
    while todo:
        name = todo.pop()
        if name not in out:
            out.add(name)
            todo += taken_from.get(name, ())
    return out


def _locals(e: o.Expr) -> set[str]:
    return {x.name for x in o.walk(e) if isinstance(x, o.Local)}

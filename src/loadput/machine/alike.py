"""A program's graph without places: two programs with the same one are the same machine."""

from __future__ import annotations

import dataclasses

from ..base.source import NOWHERE, Span
from ..ir import ops as o
from ..link.program import Program
from .flatten import Flattener
from .tso import barriers_of
from .weave import weave

Graph = list[tuple[object, ...]]
UNLIKE = ("once", "acquire", "release")


def graph_of(p: Program, *, marks: bool = True) -> tuple[Graph, frozenset[Span]]:
    """The graph without places, to compare; and the places of its operations.

    :param marks: False: READ_ONCE() is as a plain load, which only what counts races minds
    """
    g = Flattener(p, weave(p), barriers_of(p.choice.memory)).run()
    if not marks:
        for n in g.nodes:
            if isinstance(n.op, o.Load | o.Store) and n.op.mark in UNLIKE:
                n.op = dataclasses.replace(n.op, mark="plain")
    rows: Graph = [
        (n.kind, dataclasses.replace(n.op, span=NOWHERE), n.depth, n.irqs_off, n.atomic, *n.next)
        for n in g.nodes
    ]
    return rows, frozenset(n.op.span for n in g.nodes)

"""Whether two programs are the same machine: what a change that a scenario never runs leaves."""

from __future__ import annotations

import dataclasses

from ..base.source import NOWHERE
from ..link.program import Program
from .flatten import Flattener
from .weave import weave


def is_same_machine(a: Program, b: Program) -> bool:
    """Whether both have the same graph, wherever its operations were written."""
    return _graph(a) == _graph(b)


def _graph(p: Program) -> list[tuple[object, ...]]:
    g = Flattener(p, weave(p)).run()
    return [
        (n.kind, dataclasses.replace(n.op, span=NOWHERE), n.depth, n.irqs_off, n.atomic, *n.next)
        for n in g.nodes
    ]

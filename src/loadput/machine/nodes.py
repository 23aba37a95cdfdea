"""The flat form: one graph of nodes per kind of context, calls inlined, constants known."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..base.source import Span
from ..ir import ops as o


@dataclass(frozen=True, slots=True)
class Cut:
    """A point where interrupts or preemption come back: a step ends here."""

    span: Span


@dataclass(frozen=True, slots=True)
class Restrict:
    """Interrupts or preemption go off here: nothing before may be drawn past it."""

    span: Span


@dataclass(frozen=True, slots=True)
class Push:
    """Start frame ``kind`` of this task at ``entry``; it runs first until it ends."""

    kind: str
    entry: int
    span: Span


@dataclass(frozen=True, slots=True)
class End:
    """The frame is over."""

    span: Span


FlatOp = (
    o.Assign
    | o.Load
    | o.Store
    | o.Fresh
    | o.Choose
    | o.Assume
    | o.Check
    | o.Branch
    | o.Atomic
    | o.Barrier
    | Cut
    | Restrict
    | Push
    | End
)


@dataclass(slots=True)
class Node:
    """One operation at one place, with what is known there.

    :param stack: the functions it is in, outermost first
    :param fixed: nobody else can run on this CPU here but interrupts (preemption off)
    :param irqs_off: nor interrupts
    :param atomic: inside an atomic region
    """

    id: int
    kind: str
    op: FlatOp
    stack: tuple[str, ...]
    depth: int
    irqs_off: bool
    atomic: int
    next: list[int] = field(default_factory=list)

    @property
    def fixed(self) -> bool:
        return self.depth > 0 or self.irqs_off


DRAIN = "drain"
"""What a CPU's store buffer does by itself: it begins at any time, and is over in one step."""
KINDS = ("main", "sched", "irq", "always", "stuck", DRAIN)
FRAMES = ("main", "sched", "irq")
BEGINS = (*FRAMES, DRAIN)
PER = {"main": "task", "sched": "task", "irq": "cpu"}


@dataclass(slots=True)
class Graph:
    """Every node of a program. ``entries`` maps (kind, entry name) to the first node.

    ``starts`` lists, per kind, the entries that may begin when the frame is not active: interrupt
    handlers and preemption, in a fixed order. ``forgets`` names the @forget hooks.
    """

    nodes: list[Node]
    entries: dict[tuple[str, str], int]
    starts: dict[str, list[str]]
    env: set[str]
    dead: list[tuple[str, Span, bool]] = field(default_factory=list)
    forgets: set[str] = field(default_factory=set)

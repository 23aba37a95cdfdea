"""Expressions, operations and functions of the IR.

An expression is pure: constants, locals and what the running context is (`Leaf`). Every access to
memory is an operation of its own, because another context may come between two of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..base.source import NOWHERE, Span
from .types import VOID, Type

LEAVES = ("this_cpu", "current", "irqs_disabled", "preempt_count", "in_irq")
UNARY = ("not", "neg", "inv")
BINARY = (
    *("add", "sub", "mul", "div", "mod", "and", "or", "xor", "shl", "shr"),
    *("eq", "ne", "lt", "le", "gt", "ge"),
)


@dataclass(frozen=True, slots=True)
class Const:
    """A number; ``name`` is the enumerator or constant that it was written as."""

    value: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Sym:
    """A constant that the scenario or an overlay fixes at link time."""

    name: str


@dataclass(frozen=True, slots=True)
class Local:
    """A parameter, local variable or temporary of the function."""

    name: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """What the running context is: one of ``LEAVES``."""

    name: str


@dataclass(frozen=True, slots=True)
class Un:
    op: str
    a: Expr


@dataclass(frozen=True, slots=True)
class Bin:
    op: str
    a: Expr
    b: Expr


Expr = Const | Sym | Local | Leaf | Un | Bin


@dataclass(frozen=True, slots=True)
class Place:
    """One memory cell: ``var`` (``struct.field`` or a global), which instance, which array slot.

    ``index`` is a pointer value (instance + 1) for a struct field, a CPU number for a per-CPU
    variable, None for a plain global.
    """

    var: str
    index: Expr | None = None
    sub: Expr | None = None


@dataclass(frozen=True, slots=True)
class Assign:
    dst: str
    expr: Expr
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Load:
    """``dst = place``; ``mark`` is plain, once or acquire."""

    dst: str
    place: Place
    mark: str = "plain"
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Store:
    """``place = expr``; ``mark`` is plain, once or release."""

    place: Place
    expr: Expr
    mark: str = "plain"
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Fresh:
    """The owner writes a new value: ``place`` becomes (owner, current), every other copy stale."""

    place: Place
    owner: Expr
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Call:
    """Call of a function; ``dst`` is "" where the result is not used."""

    dst: str
    fn: str
    args: tuple[Expr, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Choose:
    """Any value in ``lo..hi``; ``why``: what decides in the kernel (``opaque f``: a call)."""

    dst: str
    lo: Expr
    hi: Expr
    why: str = ""
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Assume:
    """The step exists only where ``cond`` is true: how locks and guards wait."""

    cond: Expr
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Check:
    """Property ``prop`` is violated where ``cond`` is false; execution goes on."""

    prop: str
    cond: Expr
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Atomic:
    """Begin (``on``) or end of a region that is one step whatever it touches.

    A ghost region (monitors, properties) is never a step of its own: with ``ghost`` "before" it is
    part of the step that follows, with "after" of the step that it follows.
    """

    on: bool
    span: Span = NOWHERE
    ghost: str = ""


@dataclass(frozen=True, slots=True)
class Ctl:
    """Preemption and interrupts of this context: one of ``CTLS``; ``var`` holds saved flags."""

    what: str
    var: str = ""
    span: Span = NOWHERE


CTLS = (
    *("preempt_disable", "preempt_enable", "preempt_enable_no_resched", "preempt_reset"),
    *("irq_disable", "irq_enable", "irq_save", "irq_restore"),
)


@dataclass(frozen=True, slots=True)
class Barrier:
    """A memory barrier: no effect on a sequentially consistent machine, kept to be seen."""

    kind: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Branch:
    cond: Expr
    then: str
    other: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Jump:
    to: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Return:
    expr: Expr | None = None
    span: Span = NOWHERE


Op = (
    Assign
    | Load
    | Store
    | Fresh
    | Call
    | Choose
    | Assume
    | Check
    | Atomic
    | Ctl
    | Barrier
    | Branch
    | Jump
    | Return
)
TERMINATORS = (Branch, Jump, Return)


@dataclass(frozen=True, slots=True)
class Block:
    label: str
    ops: tuple[Op, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """One kernel function.

    :param attrs: roles such as ``irq``, ``frame`` or ``atomic``; sorted
    :param origin: the overlay it came from, ``mainline`` or ``kind:name``
    """

    name: str
    params: tuple[tuple[str, Type], ...]
    ret: Type
    locals: tuple[tuple[str, Type], ...]
    blocks: tuple[Block, ...]
    attrs: tuple[str, ...] = ()
    origin: str = "mainline"
    span: Span = NOWHERE
    doc: str = field(default="", compare=False)

    def type_of(self, name: str) -> Type:
        """The type of parameter or local ``name``; VOID where there is none."""
        for n, t in (*self.params, *self.locals):
            if n == name:
                return t
        return VOID


def walk(e: Expr | None) -> list[Expr]:
    """Every sub-expression of ``e``, itself included, left to right."""
    if e is None:
        return []
    if isinstance(e, Bin):
        return [e, *walk(e.a), *walk(e.b)]
    return [e, *walk(e.a)] if isinstance(e, Un) else [e]


def exprs_of(op: Op) -> list[Expr]:
    """The top expressions that ``op`` evaluates, in order."""
    out: list[Expr | None] = []
    if isinstance(op, Assign):
        out = [op.expr]
    elif isinstance(op, Load):
        out = [op.place.index, op.place.sub]
    elif isinstance(op, Store):
        out = [op.place.index, op.place.sub, op.expr]
    elif isinstance(op, Fresh):
        out = [op.place.index, op.place.sub, op.owner]
    elif isinstance(op, Call):
        out = list(op.args)
    elif isinstance(op, Choose):
        out = [op.lo, op.hi]
    elif isinstance(op, Assume | Check | Branch):
        out = [op.cond]
    elif isinstance(op, Return):
        out = [op.expr]
    elif isinstance(op, Ctl) and op.what == "irq_restore":
        out = [Local(op.var)]
    return [e for e in out if e is not None]


def dst_of(op: Op) -> str:
    """The local that ``op`` writes, or ""."""
    if isinstance(op, Assign | Load | Call | Choose):
        return op.dst
    if isinstance(op, Ctl) and op.what == "irq_save":
        return op.var
    return ""

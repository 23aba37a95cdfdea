"""The syntax tree that both front ends produce and `lower` reads: C's statements, no more."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..base.source import Span
from ..ir.types import Type


@dataclass(frozen=True, slots=True)
class Num:
    value: int
    span: Span


@dataclass(frozen=True, slots=True)
class Str:
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    id: str
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """``base->name`` or ``base.name``: the type of ``base`` tells which.

    :param arrow: as it was written, for messages
    """

    base: Expr
    name: str
    span: Span
    arrow: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Index:
    base: Expr
    index: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Invoke:
    fn: str
    args: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """``op`` is one of ``! - ~ & *``."""

    op: str
    a: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """``op`` is C's: ``+ - * / % & | ^ << >> == != < <= > >= && ||``."""

    op: str
    a: Expr
    b: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Ternary:
    cond: Expr
    a: Expr
    b: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class AssignE:
    """``lhs op= rhs`` as an expression; ``op`` is "" for a plain assignment."""

    lhs: Expr
    op: str
    rhs: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class PostInc:
    """``x++`` (``by`` 1) or ``x--`` (-1): the value is the old one."""

    lhs: Expr
    by: int
    span: Span


@dataclass(frozen=True, slots=True)
class Comma:
    """``a, b``: the value is that of ``b``."""

    a: Expr
    b: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Foreign:
    """An expression of C's in a function of kernel Python: a patch's, carried over to it."""

    inner: Expr
    span: Span


Expr = (
    Num
    | Str
    | Name
    | Member
    | Index
    | Invoke
    | Unary
    | Binary
    | Ternary
    | AssignE
    | PostInc
    | Comma
    | Foreign
)


@dataclass(frozen=True, slots=True)
class ExprStmt:
    expr: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Declare:
    """``type`` None: taken from ``init``; ``kind``: as C says it, of what is no pointer."""

    name: str
    type: Type | None
    init: Expr | None
    span: Span
    kind: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class If:
    cond: Expr
    then: tuple[Stmt, ...]
    other: tuple[Stmt, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class While:
    """``test_first`` False: do … while."""

    cond: Expr
    body: tuple[Stmt, ...]
    span: Span
    test_first: bool = True


@dataclass(frozen=True, slots=True)
class For:
    """C's for: ``cond`` None is true; the body may assign the index."""

    init: tuple[Stmt, ...]
    cond: Expr | None
    step: tuple[Stmt, ...]
    body: tuple[Stmt, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Switch:
    """``cases``: (values, body) in order, falling through; values () is default."""

    value: Expr
    cases: tuple[tuple[tuple[Expr, ...], tuple[Stmt, ...]], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class AtomicStmt:
    body: tuple[Stmt, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class BreakStmt:
    span: Span


@dataclass(frozen=True, slots=True)
class ContinueStmt:
    span: Span


@dataclass(frozen=True, slots=True)
class ReturnStmt:
    value: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Goto:
    label: str
    span: Span


@dataclass(frozen=True, slots=True)
class LabelStmt:
    label: str
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    """Statements in a row with no scope of their own."""

    body: tuple[Stmt, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class OpaqueStmt:
    """A statement of C's that has no meaning here: ``why`` says so, as a sentence.

    :param writes: locals that it assigns, which are any value after it
    """

    text: str
    why: str
    writes: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ForeignStmt:
    """Statements of C's in a function of kernel Python: a patch's, carried over to it."""

    body: tuple[Stmt, ...]
    span: Span


Stmt = (
    ExprStmt
    | Declare
    | If
    | While
    | For
    | Switch
    | AtomicStmt
    | BreakStmt
    | ContinueStmt
    | ReturnStmt
    | Goto
    | LabelStmt
    | Group
    | OpaqueStmt
    | ForeignStmt
)


@dataclass(frozen=True, slots=True)
class Def:
    """A function as written: not yet lowered, since overlays may still add fields and callees.

    :param source: ``(file, line, text)`` of the lines it stands on, to show them in errors
    :param assumed: the configuration that its ``#ifdef`` arms were chosen by
    """

    name: str
    params: tuple[tuple[str, Type], ...]
    ret: Type
    body: tuple[Stmt, ...]
    span: Span
    attrs: tuple[str, ...] = ()
    doc: str = ""
    origin: str = "mainline"
    end_line: int = 0
    lang: str = "python"
    source: tuple[tuple[str, int, str], ...] = field(default=(), compare=False, repr=False)
    assumed: tuple[str, ...] = ()

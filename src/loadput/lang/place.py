"""Places: what can be read and written, and how a field of a struct is found."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from ..base.errors import SourceError
from ..base.source import Span
from ..ir import ops as o
from ..ir import types as ty
from ..ir.build import FnBuilder
from ..ir.decls import Decls, VarDecl
from . import syntax as s
from .guess import INT, Guess

# The property of whoever uses what belongs to a CPU; its sentence is in `link.builtin.BUILTIN`.
PINNED = "PER-CPU-PINNED"


@dataclass(frozen=True, slots=True)
class Value:
    expr: o.Expr
    type: ty.Type


@dataclass(frozen=True, slots=True)
class Cell:
    """An lvalue: a memory place, or a local (``place`` None)."""

    place: o.Place | None
    local: str
    type: ty.Type


@dataclass(frozen=True, slots=True)
class Note:
    """What lowering C left out of the model, for the report.

    :param kind: ``opaque read`` (any value), ``dropped store``, ``no effect`` (a trace or a print),
        ``dropped call`` (a request that is not modelled), ``opaque address`` (a callee without a
        body is given the place of modelled state), ``opaque statement`` (left out), ``error code``
        (``-EINTR``: -1)
    """

    kind: str
    what: str
    function: str
    span: Span


def fit(v: Value, t: ty.Type) -> o.Expr:
    """``v`` as a ``t`` takes it: C's conversion to bool."""
    if t != ty.BOOL or v.type in (ty.BOOL, ty.VOID) or isinstance(v.type, ty.Token):
        return v.expr
    if isinstance(v.expr, o.Sym):  # an enumerator, for a two-valued enum: IN-RANGE watches it
        return v.expr
    if isinstance(v.expr, o.Const):
        return v.expr if v.expr.value in (0, 1) else o.Const(1)
    return o.Bin("ne", v.expr, o.Const(0))


def place_name(cell: Cell) -> str:
    """A place for messages."""
    return cell.place.var if cell.place else cell.local


def clash(v: Value, t: ty.Type) -> str:
    """Why kernel Python does not take ``v`` as a ``t``; "" where it does.

    Numbers go anywhere that numbers go, and to CPUs; what is counted as an index is an ``int``. C
    has no such types, and its casts say what they mean.
    """
    a = v.type
    nominal = isinstance(a, ty.Ptr | ty.Token | ty.CpuId)
    if isinstance(a, ty.Void):
        return "it returns nothing"
    if isinstance(t, ty.Ptr | ty.Token):
        if isinstance(v.expr, o.Const) and v.expr.value:
            return f"the number {v.expr.value} is no {t}"
        if isinstance(v.expr, o.Sym) and not v.expr.name.startswith("NR_"):  # that is the last one
            return f"{v.expr.name} is no {t}"
        if (nominal and a != t) or (isinstance(a, ty.Int) and a != INT):
            return f"a {a} is no {t}"
    elif isinstance(t, ty.CpuId) and isinstance(a, ty.Ptr | ty.Token):
        return f"a {a} is no CPU"
    elif isinstance(t, ty.Int):
        if isinstance(a, ty.Token) or (isinstance(a, ty.Ptr) and t != ty.BOOL):
            return f"a {a} is no number"
    return ""


def beside(a: Value, b: Value) -> str:
    """Why kernel Python does not compare ``a`` with ``b``; "" where it does."""
    for x, y in ((a, b), (b, a)):
        if isinstance(x.type, ty.Void):
            return "one returns nothing"
        if isinstance(x.type, ty.Ptr | ty.Token):
            told = clash(y, x.type)
            if told:
                return told
    return ""


# What each pair of types can be brought together by.
BRIDGE = (
    (ty.Ptr, ty.Token, "token_of(owner) is the owner's value, fresh(place, owner) a new one"),
    (ty.Token, ty.Ptr, "owner_of(token) is whose it is"),
    (ty.Ptr, ty.Ptr, "container_of(p, struct, member), or addr(p.member)"),
    (ty.CpuId, ty.Ptr, "per_cpu(x, cpu) is what belongs to a CPU"),
    (ty.Token, ty.Int, "owner_of(token) is whose it is"),
)


class Places:
    """The half of `lower.Lowering` that knows memory."""

    def __init__(self, d: s.Def, decls: Decls, infer: bool) -> None:
        self.d, self.decls, self.infer = d, decls, infer
        self.b = FnBuilder(d.name, d.params, d.ret)
        self.guess = Guess(decls, self.b.types)
        self.is_c = d.lang == "c"
        self.counting = False  # in the head of a loop, which counts instances by their numbers

    def fail(self, code: str, what: str, span: Span, **more: str) -> SourceError:
        text = {(file, line): text for file, line, text in self.d.source}
        return SourceError(
            code,
            what,
            span=span,
            line_text=text.get((span.file, span.line)),
            where=f"{self.d.name} ({self.d.origin})",
            **more,
        )

    def fit(self, v: Value, t: ty.Type, span: Span, what: str = "") -> o.Expr:
        """``v`` as a ``t`` takes it; raises SourceError LP0209 where kernel Python has no way."""
        told = "" if self.is_c or self.counting else clash(v, t)
        if told:
            raise self.clashes(told, v.type, t, span, what)
        return fit(v, t)

    def clashes(self, told: str, a: ty.Type, b: ty.Type, span: Span, what: str) -> SourceError:
        ways = [w for x, y, w in BRIDGE if isinstance(a, x) and isinstance(b, y)]
        return self.fail(
            "LP0209",
            f"{what or 'a value'}: {told}",
            span,
            got=f"a value of type {a}",
            expected=f"one of type {b}",
            next=ways[0] if ways else "docs/language.md, Declarations, has the types",
        )

    def rvalue(self, e: s.Expr, used: bool = True, want: ty.Type | None = None) -> Value:
        raise NotImplementedError

    def invoke(self, e: s.Invoke, used: bool, want: ty.Type | None = None) -> Value:
        raise NotImplementedError

    def _address(self, e: s.Unary) -> Value:
        inner = self._struct_value(e.a)
        if inner is not None:
            return inner
        if self.is_c:  # never NULL, and nothing is known behind it
            return Value(o.Const(1), ty.BOOL)
        raise self.fail(
            "LP0204",
            "address of a scalar",
            e.span,
            expected="the address of a struct, or a macro that takes the place itself",
            next="give the callee a body in an overlay, or declare it opaque",
        )

    def _struct_value(self, e: s.Expr) -> Value | None:
        """A pointer to the struct that ``e`` denotes by value, or None."""
        if isinstance(e, s.Foreign):
            return self._struct_value(e.inner)
        if isinstance(e, s.Name) and e.id in self.decls.globals and e.id not in self.b.types:
            g = self.decls.globals[e.id]
            if isinstance(g.type, ty.Embed):
                at = o.Bin("add", o.Leaf("this_cpu"), o.Const(1)) if g.percpu else o.Const(1)
                return Value(at, ty.Ptr(g.type.struct))
        if isinstance(e, s.Member) and not (self.is_c and self.guess.opaque(e)):
            base = self._base(e)
            f = self._field(base, e)
            if isinstance(f.type, ty.Embed):
                return Value(base.expr, ty.Ptr(f.type.struct))
        if isinstance(e, s.Unary) and e.op == "*":
            v = self.rvalue(e.a)
            return v if isinstance(v.type, ty.Ptr) else None
        if isinstance(e, s.Invoke) and e.fn in ("per_cpu", "this_cpu_ptr", "per_cpu_ptr"):
            v = self.invoke(e, True)
            return v if isinstance(v.type, ty.Ptr) else None
        return None

    def _base(self, e: s.Member) -> Value:
        held = self._struct_value(e.base) if not isinstance(e.base, s.Invoke) else None
        base = held or self.rvalue(e.base)
        if not isinstance(base.type, ty.Ptr):
            raise self.fail(
                "LP0206",
                f"'{e.name}' of something that is no struct",
                e.span,
                got=f"a value of type {base.type}",
                expected="a pointer to a struct of the program",
                next="declare the struct in an overlay",
            )
        return base

    def _field(self, base: Value, e: s.Member) -> VarDecl:
        assert isinstance(base.type, ty.Ptr)
        struct = base.type.struct
        f = self.decls.find_field(struct, e.name)
        if f is not None:
            return f
        known = sorted(self.decls.structs[struct].fields) if struct in self.decls.structs else []
        near = difflib.get_close_matches(e.name, known, 1)
        raise self.fail(
            "LP0202",
            f"struct {struct} has no field '{e.name}'",
            e.span,
            expected=f"one of its {len(known)} fields" + (f"; nearest: {near[0]}" if near else ""),
            next="add the field in the overlay's struct",
        )

    def lvalue(self, e: s.Expr) -> Cell:
        """The cell that ``e`` denotes; raises SourceError where it is none."""
        if isinstance(e, s.Foreign):
            return self.lvalue(e.inner)
        if isinstance(e, s.Name):
            return self._name_cell(e)
        if isinstance(e, s.Member):
            base = self._base(e)
            f = self._field(base, e)
            assert isinstance(base.type, ty.Ptr)
            return Cell(o.Place(f"{base.type.struct}.{f.name}", base.expr), "", f.type)
        if isinstance(e, s.Index):
            return self._index_cell(e)
        if isinstance(e, s.Unary) and e.op == "*":
            return self._deref_cell(e)
        if isinstance(e, s.Invoke) and e.fn in ("per_cpu", "this_cpu"):
            g = self.per_cpu_variable(self.name_argument(e, 0))
            if e.fn == "per_cpu":
                return Cell(o.Place(g.name, self.rvalue(e.args[1]).expr), "", g.type)
            if not g.goes_along:
                self.check_pinned(e.span)
            return Cell(o.Place(g.name, o.Leaf("this_cpu")), "", g.type)
        raise self.fail(
            "LP0203",
            "cannot take the place of this expression",
            e.span,
            expected="a variable, a field, an array element",
        )

    def _deref_cell(self, e: s.Unary) -> Cell:
        inner = e.a
        if isinstance(inner, s.Unary) and inner.op == "&":
            return self.lvalue(inner.a)
        if isinstance(inner, s.Invoke) and inner.fn in ("this_cpu_ptr", "per_cpu_ptr"):
            arg = inner.args[0]
            if isinstance(arg, s.Unary) and isinstance(arg.a, s.Name):
                g = self.per_cpu_variable(arg.a)
                here = inner.fn == "this_cpu_ptr"
                if here:
                    self.check_pinned(inner.span)
                at = o.Leaf("this_cpu") if here else self.rvalue(inner.args[1]).expr
                return Cell(o.Place(g.name, at), "", g.type)
        raise self.fail(
            "LP0204", "dereference of a pointer to a scalar", e.span, expected="a field or variable"
        )

    def check_pinned(self, span: Span) -> None:
        """What belongs to this CPU is used here: the task must not be able to leave it."""
        depth, off = o.Leaf("preempt_count"), o.Leaf("irqs_disabled")
        self.b.emit(o.Check(PINNED, o.Bin("ne", o.Bin("add", depth, off), o.Const(0)), span))

    def _global(self, e: s.Name) -> VarDecl:
        if e.id not in self.decls.globals:
            raise self._unknown(e)
        return self.decls.globals[e.id]

    def per_cpu_variable(self, e: s.Name) -> VarDecl:
        """The per-CPU variable ``e``; raises SourceError where it is another thing."""
        g = self._global(e)
        if not g.percpu:
            raise self.fail(
                "LP0204", f"'{e.id}' is no per-CPU variable", e.span, expected="a per-CPU variable"
            )
        return g

    def find_per_cpu(self, e: s.Expr) -> VarDecl | None:
        """The per-CPU variable that ``x`` or ``&x`` names, or None."""
        if isinstance(e, s.Unary):
            e = e.a
        g = self.decls.globals.get(e.id) if isinstance(e, s.Name) else None
        return g if g is not None and g.percpu else None

    def _unknown(self, e: s.Name) -> SourceError:
        known = [*self.b.types, *self.decls.globals, *self.decls.consts]
        near = difflib.get_close_matches(e.id, known, 1)
        return self.fail(
            "LP0201",
            f"unknown name '{e.id}' in kernel function {self.d.name}",
            e.span,
            got="a name that is no parameter, local, constant or variable",
            expected="a declared name" + (f"; nearest: {near[0]}" if near else ""),
            next="loadput explain LP0201",
        )

    def _name_cell(self, e: s.Name) -> Cell:
        if e.id in self.b.types:
            return Cell(None, e.id, self.b.types[e.id])
        g = self._global(e)
        return Cell(o.Place(g.name, o.Leaf("this_cpu") if g.percpu else None), "", g.type)

    def name_argument(self, e: s.Invoke, i: int) -> s.Name:
        """Argument ``i`` of a macro that wants a bare name (``&name`` will do)."""
        arg = e.args[i] if i < len(e.args) else None
        if isinstance(arg, s.Unary) and arg.op in "&*":
            arg = arg.a
        if not isinstance(arg, s.Name):
            raise self.fail(
                "LP0207", f"argument {i + 1} of {e.fn} is no name", e.span, expected="a name"
            )
        return arg

    def _index_cell(self, e: s.Index) -> Cell:
        cell = self.lvalue(e.base)
        if cell.place is None or not isinstance(cell.type, ty.Array):
            raise self.fail(
                "LP0203", "index of something that is no array", e.span, expected="an array field"
            )
        at = self.rvalue(e.index).expr
        return Cell(o.Place(cell.place.var, cell.place.index, at), "", cell.type.elem)

    def read(self, cell: Cell, mark: str, span: Span) -> Value:
        """The value of a cell: a local as it is, memory through a Load."""
        if cell.place is None:
            return Value(o.Local(cell.local), cell.type)
        if isinstance(cell.type, ty.Embed | ty.Array):
            raise self.fail(
                "LP0203",
                f"{cell.place.var} is no scalar",
                span,
                got=f"a value of type {cell.type}",
                expected="one of its fields or elements",
            )
        dst = self.b.temp(cell.type)
        self.b.emit(o.Load(dst.name, cell.place, mark, span))
        return Value(dst, cell.type)

    def write(self, cell: Cell, expr: o.Expr, mark: str, span: Span) -> None:
        """Assign to a local or store to memory."""
        if cell.place is None:
            self.b.emit(o.Assign(cell.local, expr, span))
        else:
            self.b.emit(o.Store(cell.place, expr, mark, span))

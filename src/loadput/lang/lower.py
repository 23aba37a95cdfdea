"""Syntax tree to IR: the one place that knows what a statement means.

Every read of memory becomes a `Load` into a temporary, in C's order of evaluation; `&&` and `||`
branch; the kernel's access macros become marks. Names with a meaning of their own are in `vocab`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from ..base.errors import SourceError
from ..base.source import Span
from ..ir import ops as o
from ..ir import types as ty
from ..ir.build import FnBuilder
from ..ir.decls import Decls, VarDecl
from . import syntax as s

INT = ty.Int(-1, 127)
BINARY = {
    **{"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod", "&": "and", "|": "or"},
    **{"^": "xor", "<<": "shl", ">>": "shr", "==": "eq", "!=": "ne", "<": "lt", "<=": "le"},
    **{">": "gt", ">=": "ge"},
}
UNARY = {"!": "not", "-": "neg", "~": "inv"}


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


class Lowering:
    """Lowers one function body against declarations; `run` gives the IR function."""

    def __init__(self, d: s.Def, decls: Decls, infer: bool = False) -> None:
        self.d, self.decls, self.infer = d, decls, infer
        self.b = FnBuilder(d.name, d.params, d.ret)
        self.loops: list[tuple[str, str]] = []
        self.atomic = 0
        self.labels: dict[str, str] = {}

    def run(self) -> o.Function:
        """Return the function; raises SourceError (LP02xx) with the place."""
        self.stmts(self.d.body)
        return self.b.finish(self.d.span, self.d.attrs, self.d.origin, self.d.doc)

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

    # statements

    def stmts(self, body: tuple[s.Stmt, ...]) -> None:
        for st in body:
            self.stmt(st)

    def stmt(self, st: s.Stmt) -> None:
        getattr(self, f"_{type(st).__name__}")(st)

    def _ExprStmt(self, st: s.ExprStmt) -> None:
        self.rvalue(st.expr, used=False)

    def _Group(self, st: s.Group) -> None:
        self.stmts(st.body)

    def _Declare(self, st: s.Declare) -> None:
        if st.init is None:
            self.b.local(st.name, st.type or INT)
            return
        v = self.rvalue(st.init)
        keep = st.type if st.type is not None and not isinstance(v.type, ty.Token) else None
        if isinstance(keep, ty.Ptr) and keep.struct not in self.decls.structs:
            keep = None
        dst = self.b.local(st.name, keep or v.type)
        self.b.emit(o.Assign(dst.name, v.expr, st.span))

    def _If(self, st: s.If) -> None:
        then, other, end = (self.b.new_label() for _ in range(3))
        self.cond(st.cond, then, other)
        self.b.start(then)
        self.stmts(st.then)
        if self.b.is_open:
            self.b.emit(o.Jump(end, st.span))
        self.b.start(other)
        self.stmts(st.other)
        self.b.start(end)

    def _While(self, st: s.While) -> None:
        head, body, end = (self.b.new_label() for _ in range(3))
        self.b.start(head if st.test_first else body)
        if st.test_first:
            self.cond(st.cond, body, end)
            self.b.start(body)
        self.loops.append((end, head))
        self.stmts(st.body)
        self.loops.pop()
        if st.test_first:
            if self.b.is_open:
                self.b.emit(o.Jump(head, st.span))
        else:
            self.b.start(head)
            self.cond(st.cond, body, end)
        self.b.start(end)

    def _For(self, st: s.For) -> None:
        head, body, step, end = (self.b.new_label() for _ in range(4))
        self.stmts(st.init)
        self.b.start(head)
        if st.cond is not None:
            self.cond(st.cond, body, end)
        self.b.start(body)
        self.loops.append((end, step))
        self.stmts(st.body)
        self.loops.pop()
        self.b.start(step)
        self.stmts(st.step)
        self.b.emit(o.Jump(head, st.span))
        self.b.start(end)

    def _Switch(self, st: s.Switch) -> None:
        v = self.rvalue(st.value)
        labels = [self.b.new_label() for _ in st.cases]
        end = self.b.new_label()
        default = end
        for (values, _), label in zip(st.cases, labels, strict=True):
            default = default if values else label
            for value in values:
                nxt = self.b.new_label()
                test = o.Bin("eq", v.expr, self.rvalue(value).expr)
                self.b.emit(o.Branch(test, label, nxt, st.span))
                self.b.start(nxt)
        self.b.emit(o.Jump(default, st.span))
        self.loops.append((end, self.loops[-1][1] if self.loops else ""))
        for (_, body), label in zip(st.cases, labels, strict=True):
            self.b.start(label)
            self.stmts(body)
        self.loops.pop()
        self.b.start(end)

    def _AtomicStmt(self, st: s.AtomicStmt) -> None:
        self._open_atomic(st.span)
        self.stmts(st.body)
        self._close_atomic(st.span)

    def _open_atomic(self, span: Span) -> None:
        self.atomic += 1
        self.b.emit(o.Atomic(True, span))

    def _close_atomic(self, span: Span) -> None:
        self.atomic -= 1
        self.b.emit(o.Atomic(False, span))

    def _BreakStmt(self, st: s.BreakStmt) -> None:
        self._leave(st.span, 0, "break")

    def _ContinueStmt(self, st: s.ContinueStmt) -> None:
        self._leave(st.span, 1, "continue")

    def _leave(self, span: Span, which: int, word: str) -> None:
        if not self.loops or not self.loops[-1][which]:
            raise self.fail("LP0205", f"'{word}' outside a loop", span, expected="a loop around it")
        self.b.emit(o.Jump(self.loops[-1][which], span))

    def _ReturnStmt(self, st: s.ReturnStmt) -> None:
        v = self.rvalue(st.value) if st.value is not None else None
        for _ in range(self.atomic):
            self.b.emit(o.Atomic(False, st.span))
        if self.d.ret == ty.VOID:
            self.b.emit(o.Return(None, st.span))
        else:
            self.b.emit(o.Return(v.expr if v else o.Const(0), st.span))

    def _Goto(self, st: s.Goto) -> None:
        self.b.emit(o.Jump(self._label(st.label), st.span))

    def _LabelStmt(self, st: s.LabelStmt) -> None:
        self.b.start(self._label(st.label))

    def _label(self, name: str) -> str:
        if name not in self.labels:
            self.labels[name] = self.b.new_label()
        return self.labels[name]

    # conditions

    def cond(self, e: s.Expr, then: str, other: str) -> None:
        """Branch to ``then`` or ``other``; `&&`, `||` and `!` become jumps."""
        if isinstance(e, s.Binary) and e.op in ("&&", "||"):
            mid = self.b.new_label()
            if e.op == "&&":
                self.cond(e.a, mid, other)
            else:
                self.cond(e.a, then, mid)
            self.b.start(mid)
            self.cond(e.b, then, other)
        elif isinstance(e, s.Unary) and e.op == "!":
            self.cond(e.a, other, then)
        elif isinstance(e, s.Invoke) and e.fn in ("likely", "unlikely"):
            self.cond(e.args[0], then, other)
        else:
            self.b.emit(o.Branch(self.rvalue(e).expr, then, other, e.span))

    # values

    def rvalue(self, e: s.Expr, used: bool = True) -> Value:
        """Evaluate ``e``: loads and calls are emitted, the pure rest is returned."""
        if isinstance(e, s.Num):
            return Value(o.Const(e.value), INT)
        if isinstance(e, s.Str):
            return Value(o.Const(0), INT)
        if isinstance(e, s.Invoke):
            return self.invoke(e, used)
        if isinstance(e, s.Binary):
            return self._binary(e)
        if isinstance(e, s.Ternary):
            return self._ternary(e)
        if isinstance(e, s.Comma):
            self.rvalue(e.a, used=False)
            return self.rvalue(e.b, used)
        if isinstance(e, s.AssignE):
            return self._assign(e)
        if isinstance(e, s.PostInc):
            cell = self.lvalue(e.lhs)
            old = self.read(cell, "plain", e.span)
            keep = self.b.temp(old.type)
            self.b.emit(o.Assign(keep.name, old.expr, e.span))
            self.write(cell, o.Bin("add", keep, o.Const(e.by)), "plain", e.span)
            return Value(keep, old.type)
        if isinstance(e, s.Unary) and e.op == "&":
            return self._address(e)
        if isinstance(e, s.Unary) and e.op in UNARY:
            a = self.rvalue(e.a)
            t = ty.BOOL if e.op == "!" else INT
            return Value(_fold(o.Un(UNARY[e.op], a.expr)), t)
        if isinstance(e, s.Name):
            found = self._name(e)
            if found is not None:
                return found
        return self.read(self.lvalue(e), "plain", e.span)

    def _name(self, e: s.Name) -> Value | None:
        if e.id in self.b.types:
            return Value(o.Local(e.id), self.b.types[e.id])
        if e.id in ("NULL", "None", "False", "false"):
            return Value(o.Const(0, e.id if e.id == "NULL" else "false"), INT)
        if e.id in ("True", "true"):
            return Value(o.Const(1, "true"), ty.BOOL)
        if e.id == "current":
            return Value(o.Leaf("current"), ty.Ptr("task_struct"))
        if e.id in self.decls.consts:
            return Value(o.Sym(e.id), INT)
        return None

    def _binary(self, e: s.Binary) -> Value:
        if e.op in ("&&", "||"):
            return self._truth(e)
        a = self.rvalue(e.a)
        if isinstance(a.expr, o.Local) and not a.expr.name.startswith(".") and _has_effect(e.b):
            keep = self.b.temp(a.type)
            self.b.emit(o.Assign(keep.name, a.expr, e.span))
            a = Value(keep, a.type)
        b = self.rvalue(e.b)
        if e.op not in BINARY:
            raise self.fail("LP0203", f"operator '{e.op}'", e.span, expected="an operator of C")
        op = BINARY[e.op]
        t = ty.BOOL if op in ("eq", "ne", "lt", "le", "gt", "ge") else INT
        return Value(_fold(o.Bin(op, a.expr, b.expr)), t)

    def _truth(self, e: s.Expr) -> Value:
        dst = self.b.temp(ty.BOOL)
        then, other, end = (self.b.new_label() for _ in range(3))
        self.cond(e, then, other)
        for label, value in ((then, 1), (other, 0)):
            self.b.start(label)
            self.b.emit(o.Assign(dst.name, o.Const(value), e.span))
            self.b.emit(o.Jump(end, e.span))
        self.b.start(end)
        return Value(dst, ty.BOOL)

    def _ternary(self, e: s.Ternary) -> Value:
        then, other, end = (self.b.new_label() for _ in range(3))
        self.cond(e.cond, then, other)
        self.b.start(then)
        a = self.rvalue(e.a)
        dst = self.b.temp(a.type)
        self.b.emit(o.Assign(dst.name, a.expr, e.span))
        self.b.emit(o.Jump(end, e.span))
        self.b.start(other)
        c = self.rvalue(e.b)
        self.b.emit(o.Assign(dst.name, c.expr, e.span))
        self.b.start(end)
        t = a.type if isinstance(a.type, ty.Ptr) or not isinstance(c.type, ty.Ptr) else c.type
        return Value(dst, t)

    def _assign(self, e: s.AssignE) -> Value:
        if isinstance(e.lhs, s.Name) and e.lhs.id not in self.b.types:
            if e.lhs.id not in self.decls.globals and not e.op:
                v = self.rvalue(e.rhs)
                dst = self.b.local(e.lhs.id, v.type)
                self.b.emit(o.Assign(dst.name, v.expr, e.span))
                return Value(dst, v.type)
        cell = self.lvalue(e.lhs)
        if e.op:
            old = self.read(cell, "plain", e.span)
            new = self.rvalue(e.rhs)
            v = Value(o.Bin(BINARY[e.op], old.expr, new.expr), old.type)
        else:
            v = self.rvalue(e.rhs)
        self.write(cell, v.expr, "plain", e.span)
        return v

    def _address(self, e: s.Unary) -> Value:
        inner = self._struct_value(e.a)
        if inner is not None:
            return inner
        raise self.fail(
            "LP0204",
            "address of a scalar",
            e.span,
            expected="the address of a struct, or a macro that takes the place itself",
            next="give the callee a body in an overlay, or declare it opaque",
        )

    def _struct_value(self, e: s.Expr) -> Value | None:
        """A pointer to the struct that ``e`` denotes by value, or None."""
        if isinstance(e, s.Name) and e.id in self.decls.globals and e.id not in self.b.types:
            g = self.decls.globals[e.id]
            if isinstance(g.type, ty.Embed):
                at = o.Bin("add", o.Leaf("this_cpu"), o.Const(1)) if g.percpu else o.Const(1)
                return Value(at, ty.Ptr(g.type.struct))
        if isinstance(e, s.Member):
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
        if self.infer and struct in self.decls.structs:
            f = VarDecl(e.name, ty.BOOL, span=e.span, origin=self.d.origin)
            self.decls.structs[struct].fields[e.name] = f
            self.decls.inferred.append(VarDecl(f"{struct}.{e.name}", ty.BOOL, span=e.span))
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
            assert isinstance(e.args[0], s.Name)
            g = self._global(e.args[0])
            at = self.rvalue(e.args[1]).expr if e.fn == "per_cpu" else o.Leaf("this_cpu")
            return Cell(o.Place(g.name, at), "", g.type)
        raise self.fail("LP0203", "cannot take the place of this expression", e.span)

    def _deref_cell(self, e: s.Unary) -> Cell:
        inner = e.a
        if isinstance(inner, s.Unary) and inner.op == "&":
            return self.lvalue(inner.a)
        if isinstance(inner, s.Invoke) and inner.fn in ("this_cpu_ptr", "per_cpu_ptr"):
            arg = inner.args[0]
            if isinstance(arg, s.Unary) and isinstance(arg.a, s.Name):
                g = self._global(arg.a)
                here = inner.fn == "this_cpu_ptr"
                at = o.Leaf("this_cpu") if here else self.rvalue(inner.args[1]).expr
                return Cell(o.Place(g.name, at), "", g.type)
        raise self.fail(
            "LP0204", "dereference of a pointer to a scalar", e.span, expected="a field or variable"
        )

    def _global(self, e: s.Name) -> VarDecl:
        if e.id not in self.decls.globals:
            raise self._unknown(e)
        return self.decls.globals[e.id]

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

    def _index_cell(self, e: s.Index) -> Cell:
        cell = self.lvalue(e.base)
        if cell.place is None or not isinstance(cell.type, ty.Array):
            raise self.fail("LP0203", "index of something that is no array", e.span)
        at = self.rvalue(e.index).expr
        return Cell(o.Place(cell.place.var, cell.place.index, at), "", cell.type.elem)

    def read(self, cell: Cell, mark: str, span: Span) -> Value:
        """The value of a cell: a local as it is, memory through a Load."""
        if cell.place is None:
            return Value(o.Local(cell.local), cell.type)
        if isinstance(cell.type, ty.Embed | ty.Array):
            raise self.fail("LP0203", f"{cell.place.var} is no scalar", span)
        dst = self.b.temp(cell.type)
        self.b.emit(o.Load(dst.name, cell.place, mark, span))
        return Value(dst, cell.type)

    def write(self, cell: Cell, expr: o.Expr, mark: str, span: Span) -> None:
        """Assign to a local or store to memory."""
        if cell.place is None:
            self.b.emit(o.Assign(cell.local, expr, span))
        else:
            self.b.emit(o.Store(cell.place, expr, mark, span))

    def invoke(self, e: s.Invoke, used: bool) -> Value:
        """A call: a name of the vocabulary, or a function."""
        from .vocab import INTRINSICS

        known: Callable[..., Value] | None = INTRINSICS.get(e.fn)
        if known is not None and e.fn not in self.decls.funcs:
            return known(self, e)
        args = tuple(self._argument(a) for a in e.args)
        sig = self.decls.funcs.get(e.fn)
        if sig is not None and len(sig.params) != len(args):
            raise self.fail(
                "LP0207",
                f"{e.fn} called with {len(args)} arguments",
                e.span,
                expected=f"{len(sig.params)}: {', '.join(n for n, _ in sig.params)}",
                next="change the signature in an overlay that declares it",
            )
        ret = sig.ret if sig else INT
        dst = self.b.temp(ret) if used and ret != ty.VOID else None
        self.b.emit(o.Call(dst.name if dst else "", e.fn, args, e.span))
        return Value(dst or o.Const(0), ret)

    def _argument(self, a: s.Expr) -> o.Expr:
        if isinstance(a, s.Unary) and a.op == "&":
            held = self._struct_value(a.a)
            return held.expr if held else o.Const(0)
        return self.rvalue(a).expr


def _has_effect(e: s.Expr) -> bool:
    if isinstance(e, s.AssignE | s.PostInc):
        return True
    kids = [getattr(e, n, None) for n in ("a", "b", "base", "index", "cond")]
    return any(_has_effect(k) for k in kids if k is not None and not isinstance(k, str))


def _fold(e: o.Expr) -> o.Expr:
    if isinstance(e, o.Un) and e.op == "neg" and isinstance(e.a, o.Const):
        return o.Const(-e.a.value)
    return e


def lower(d: s.Def, decls: Decls, *, infer: bool = False) -> o.Function:
    """Return the IR of ``d``; raises SourceError (LP02xx) naming the place.

    :param infer: add unknown fields of known structs to ``decls`` (user C), reported there
    """
    return Lowering(d, decls, infer).run()

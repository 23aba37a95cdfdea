"""Kernel Python to syntax tree: valid Python that is parsed, never executed."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from ..base.errors import SourceError
from ..base.source import Span
from ..ir import types as ty
from ..ir.decls import StructDecl, VarDecl
from . import syntax as s
from .told import Told, comment_above, parameters

BINOP: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "/",
    ast.Mod: "%",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "==",
    ast.IsNot: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


@dataclass(slots=True)
class Module:
    """What one file of kernel Python declares, in order.

    :param meta: per function, the keyword arguments of its decorators (``source``, ``twin``, …)
    :param removed: names that this overlay takes out
    :param told: per struct, ``struct.field``, global, constant and ``function()`` how it is written
    """

    file: str
    origin: str
    structs: dict[str, StructDecl] = field(default_factory=dict)
    globals: dict[str, VarDecl] = field(default_factory=dict)
    consts: dict[str, int] = field(default_factory=dict)
    aliases: dict[str, ty.Type] = field(default_factory=dict)
    enums: dict[str, dict[int, str]] = field(default_factory=dict)
    defs: list[s.Def] = field(default_factory=list)
    meta: dict[str, dict[str, str]] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    doc: str = ""


class _Parser:
    def __init__(self, text: str, file: str, origin: str, aliases: dict[str, ty.Type]) -> None:
        self.text, self.file, self.origin = text, file, origin
        self.aliases = aliases
        self.out = Module(file, origin)
        self.lines = text.splitlines()

    def span(self, n: ast.AST) -> Span:
        line, col = getattr(n, "lineno", 1), getattr(n, "col_offset", 0)
        end = (
            getattr(n, "end_col_offset", col + 1)
            if getattr(n, "end_lineno", line) == line
            else col + 1
        )
        return Span(self.file, line, col + 1, max(1, end - col))

    def fail(self, code: str, what: str, n: ast.AST, **more: str) -> SourceError:
        span = self.span(n)
        line = self.lines[span.line - 1] if 0 < span.line <= len(self.lines) else None
        return SourceError(code, what, span=span, line_text=line, where=self.origin, **more)

    def tell(self, name: str, written: str, n: ast.stmt, *, own: bool = False) -> None:
        about = comment_above(self.lines, n.lineno, own=own)
        self.out.told[name] = Told(written, about, self.span(n), self.origin)

    # declarations

    def module(self) -> Module:
        try:
            tree = ast.parse(self.text)
        except SyntaxError as e:
            span = Span(self.file, e.lineno or 1, e.offset or 1)
            raise SourceError(
                "LP0210",
                f"not valid Python: {e.msg}",
                span=span,
                line_text=e.text,
                where=self.origin,
            ) from None
        self.out.doc = ast.get_docstring(tree) or ""
        for n in tree.body:
            self._top(n)
        return self.out

    def _top(self, n: ast.stmt) -> None:
        if isinstance(n, ast.FunctionDef):
            self._function(n)
        elif isinstance(n, ast.ClassDef):
            self._class(n)
        elif isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name):
            self.out.globals[n.target.id] = self._var(n, n.target.id)
            self.tell(n.target.id, _written(n), n)
        elif isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name):
            if n.targets[0].id != "OVERLAY":
                self.out.consts[n.targets[0].id] = self._number(n.value)
                self.tell(n.targets[0].id, ast.unparse(n.value), n)
        elif isinstance(n, ast.ImportFrom | ast.Import):
            pass
        elif not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)):
            raise self.fail("LP0211", "statement outside a function", n, expected="declarations")

    def _number(self, n: ast.expr) -> int:
        try:
            value = ast.literal_eval(n)
        except ValueError:
            value = None
        if not isinstance(value, int | bool):
            raise self.fail("LP0211", "constant that is no number", n, expected="a number")
        return int(value)

    def _class(self, n: ast.ClassDef) -> None:
        base = n.bases[0].id if n.bases and isinstance(n.bases[0], ast.Name) else ""
        if base == "enum":
            values = [self._enumerator(item) for item in n.body if isinstance(item, ast.Assign)]
            self.aliases[n.name] = ty.Int(min(values), max(values))
            self.out.aliases[n.name] = self.aliases[n.name]
            names = [i.targets[0].id for i in n.body if isinstance(i, ast.Assign)]  # type: ignore[attr-defined]
            self.out.enums[n.name] = dict(zip(values, names, strict=True))
            self.tell(n.name, "enum", n, own=True)
            return
        if base != "struct":
            raise self.fail("LP0211", f"class {n.name}", n, expected="class NAME(struct) or (enum)")
        per = ""
        for k in n.keywords:
            if k.arg == "per" and isinstance(k.value, ast.Constant):
                per = str(k.value.value)
        decl = StructDecl(n.name, per, span=self.span(n))
        for item in n.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                decl.fields[item.target.id] = self._var(item, item.target.id)
                self.tell(f"{n.name}.{item.target.id}", _written(item), item)
        self.tell(n.name, "struct", n, own=True)
        known = self.out.structs.setdefault(n.name, decl)
        known.fields.update(decl.fields)
        known.per = known.per or decl.per

    def _enumerator(self, item: ast.Assign) -> int:
        assert isinstance(item.targets[0], ast.Name)
        value = self._number(item.value)
        self.out.consts[item.targets[0].id] = value
        return value

    def _var(self, n: ast.AnnAssign, name: str) -> VarDecl:
        percpu = ghost = False
        t: ast.expr = n.annotation
        while isinstance(t, ast.Subscript) and isinstance(t.value, ast.Name):
            if t.value.id not in ("per_cpu", "ghost"):
                break
            percpu |= t.value.id == "per_cpu"
            ghost |= t.value.id == "ghost"
            t = t.slice
        init: int | str = 0
        if isinstance(n.value, ast.Name) and n.value.id != "NULL":
            init = n.value.id
        elif n.value is not None and not isinstance(n.value, ast.Name):
            init = self._number(n.value)
        enum = t.id if isinstance(t, ast.Name) and t.id in self.aliases else ""
        return VarDecl(name, self.type(t), percpu, ghost, init, self.span(n), self.origin, enum)

    def type(self, n: ast.expr | None) -> ty.Type:
        """The type that an annotation names; a bare struct name is a struct by value."""
        if n is None or (isinstance(n, ast.Constant) and n.value is None):
            return ty.VOID
        if isinstance(n, ast.Name):
            known: dict[str, ty.Type] = {
                "bool": ty.BOOL,
                "int": ty.Int(-1, 127),
                "cpu": ty.CPU,
                "void": ty.VOID,
                "cpu_mask": ty.Int(0, 15),
                "vcpu_index": ty.Int(0, 7),
                **self.aliases,
            }
            return known.get(n.id) or ty.Embed(n.id)
        if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name):
            args = n.slice.elts if isinstance(n.slice, ast.Tuple) else [n.slice]
            return self._generic(n, n.value.id, args)
        raise self.fail("LP0212", "unknown type", n, expected="bool, upto[n], ptr[struct], …")

    def _generic(self, n: ast.expr, head: str, args: list[ast.expr]) -> ty.Type:
        def name(a: ast.expr) -> str:
            return a.id if isinstance(a, ast.Name) else str(self._number(a))

        if head in ("ptr", "embed"):
            return ty.Ptr(name(args[0])) if head == "ptr" else ty.Embed(name(args[0]))
        if head == "upto":
            return ty.Int(0, self._number(args[0]))
        if head == "between":
            return ty.Int(self._number(args[0]), self._number(args[1]))
        if head == "token":
            return ty.Token(name(args[0]), name(args[1]))
        if head == "array":
            length = name(args[1])
            return ty.Array(self.type(args[0]), int(length) if length.isdigit() else length)
        raise self.fail(
            "LP0212",
            f"unknown type {head}[…]",
            n,
            expected="ptr[S], upto[n], between[a, b], token[kind, domain] or array[T, n]",
        )

    # functions

    def _function(self, n: ast.FunctionDef) -> None:
        attrs, meta = [], {}
        for d in n.decorator_list:
            call = d if isinstance(d, ast.Call) else None
            head = call.func if call else d
            word = head.id.rstrip("_") if isinstance(head, ast.Name) else "?"
            plain = [self._word(a) for a in call.args] if call else []
            attrs.append(":".join([word, *plain]))
            for k in call.keywords if call else []:
                meta[str(k.arg)] = self._word(k.value)
        params = tuple((a.arg, self.type(a.annotation)) for a in n.args.args)
        doc = ast.get_docstring(n) or ""
        body = n.body[1:] if doc else n.body
        self.out.meta[n.name] = meta
        self.tell(f"{n.name}()", parameters(n), n, own=True)
        self.out.defs.append(
            s.Def(
                n.name,
                params,
                self.type(n.returns),
                self.body(body),
                self.span(n),
                tuple(sorted(attrs)),
                doc,
                self.origin,
                n.end_lineno or n.lineno,
            )
        )

    def _word(self, a: ast.expr) -> str:
        if isinstance(a, ast.Constant):
            return str(a.value)
        if isinstance(a, ast.Name):
            return a.id
        raise self.fail("LP0211", "decorator argument", a, expected="a name or a string")

    def body(self, body: list[ast.stmt]) -> tuple[s.Stmt, ...]:
        return tuple(self.stmt(n) for n in body)

    def stmt(self, n: ast.stmt) -> s.Stmt:
        sp = self.span(n)
        if isinstance(n, ast.Expr):
            return s.ExprStmt(self.expr(n.value), sp)
        if isinstance(n, ast.Assign):
            return s.ExprStmt(s.AssignE(self.expr(n.targets[0]), "", self.expr(n.value), sp), sp)
        if isinstance(n, ast.AugAssign):
            op = BINOP[type(n.op)]
            return s.ExprStmt(s.AssignE(self.expr(n.target), op, self.expr(n.value), sp), sp)
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name):
            init = self.expr(n.value) if n.value else None
            return s.Declare(n.target.id, self.type(n.annotation), init, sp)
        if isinstance(n, ast.If):
            return s.If(self.expr(n.test), self.body(n.body), self.body(n.orelse), sp)
        if isinstance(n, ast.While):
            return s.While(self.expr(n.test), self.body(n.body), sp)
        if isinstance(n, ast.For):
            return self._for(n, sp)
        if isinstance(n, ast.With):
            return s.AtomicStmt(self.body(n.body), sp)
        if isinstance(n, ast.Return):
            return s.ReturnStmt(self.expr(n.value) if n.value else None, sp)
        if isinstance(n, ast.Break | ast.Continue):
            return s.BreakStmt(sp) if isinstance(n, ast.Break) else s.ContinueStmt(sp)
        if isinstance(n, ast.Pass):
            return s.Group((), sp)
        raise self.fail(
            "LP0203",
            f"cannot lower '{type(n).__name__.lower()}'",
            n,
            expected="assignment, call, if, while, for, with atomic, return, break, continue",
        )

    def _for(self, n: ast.For, sp: Span) -> s.Stmt:
        it = n.iter
        if not (isinstance(n.target, ast.Name) and isinstance(it, ast.Call)):
            raise self.fail(
                "LP0203", "cannot lower this loop", n, expected="for x in range(…) or each(…)"
            )
        var, args = s.Name(n.target.id, sp), [self.expr(a) for a in it.args]
        head = it.func.id if isinstance(it.func, ast.Name) else ""
        t: ty.Type = ty.Int(-1, 127)
        if head == "each" and isinstance(it.args[0], ast.Name):
            what = it.args[0].id
            lo: s.Expr = s.Num(0 if what == "cpu" else 1, sp)
            hi: s.Expr = s.Invoke("__count", (s.Name(what, sp),), sp)
            t = ty.CPU if what == "cpu" else ty.Ptr(what)
            op = "<" if what == "cpu" else "<="
        elif head == "range":
            lo, hi = (args[0], args[1]) if len(args) == 2 else (s.Num(0, sp), args[0])
            op = "<"
        else:
            raise self.fail(
                "LP0203", f"cannot loop over {head}()", n, expected="range(…) or each(…)"
            )
        step = s.ExprStmt(s.AssignE(var, "", s.Binary("+", var, s.Num(1, sp), sp), sp), sp)
        init = s.Declare(n.target.id, t, lo, sp)
        return s.For((init,), s.Binary(op, var, hi, sp), (step,), self.body(n.body), sp)

    def expr(self, n: ast.expr) -> s.Expr:
        sp = self.span(n)
        if isinstance(n, ast.Constant):
            if isinstance(n.value, str):
                return s.Str(n.value, sp)
            value = n.value if isinstance(n.value, int) else 0
            return s.Num(int(value), sp)
        if isinstance(n, ast.Name):
            return s.Name(n.id, sp)
        if isinstance(n, ast.Attribute):
            return s.Member(self.expr(n.value), n.attr, sp)
        if isinstance(n, ast.Subscript):
            return s.Index(self.expr(n.value), self.expr(n.slice), sp)
        if isinstance(n, ast.Call):
            return self._call(n, sp)
        if isinstance(n, ast.BoolOp):
            op = "&&" if isinstance(n.op, ast.And) else "||"
            out = self.expr(n.values[0])
            for v in n.values[1:]:
                out = s.Binary(op, out, self.expr(v), sp)
            return out
        if isinstance(n, ast.BinOp) and type(n.op) in BINOP:
            return s.Binary(BINOP[type(n.op)], self.expr(n.left), self.expr(n.right), sp)
        if isinstance(n, ast.Compare) and len(n.ops) == 1 and type(n.ops[0]) in BINOP:
            return s.Binary(
                BINOP[type(n.ops[0])], self.expr(n.left), self.expr(n.comparators[0]), sp
            )
        if isinstance(n, ast.UnaryOp):
            sign = {ast.Not: "!", ast.USub: "-", ast.Invert: "~"}.get(type(n.op))
            if sign:
                return s.Unary(sign, self.expr(n.operand), sp)
        if isinstance(n, ast.IfExp):
            return s.Ternary(self.expr(n.test), self.expr(n.body), self.expr(n.orelse), sp)
        raise self.fail(
            "LP0203", f"cannot lower '{type(n).__name__.lower()}'", n, expected="C's operators"
        )

    def _call(self, n: ast.Call, sp: Span) -> s.Expr:
        if not isinstance(n.func, ast.Name):
            raise self.fail(
                "LP0203", "cannot lower a call through an expression", n, expected="name(…)"
            )
        args = tuple(self.expr(a) for a in n.args)
        if n.func.id == "addr":
            return s.Unary("&", args[0], sp)
        return s.Invoke(n.func.id, args, sp)


def _written(n: ast.AnnAssign) -> str:
    """The type and the start value of a declaration."""
    init = f" = {ast.unparse(n.value)}" if n.value else ""
    return ast.unparse(n.annotation) + init


def parse_module(text: str, file: str, origin: str, aliases: dict[str, ty.Type]) -> Module:
    """Return what the file declares; raises SourceError (LP021x, LP0203) with the place.

    :param file: the name to show in places
    :param origin: the overlay the file belongs to
    :param aliases: enum types declared so far; this file's are added
    """
    return _Parser(text, file, origin, aliases).module()

"""Kernel Python to syntax tree: valid Python that is parsed, never executed."""

from __future__ import annotations

import ast

from ..base.errors import SourceError
from ..base.source import Span
from ..ir import types as ty
from . import syntax as s
from .pydecl import DEPTH, MOST, RESERVED, Declarations, Module
from .told import parameters

__all__ = ["Module", "parse_module"]
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
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


class _Parser(Declarations):
    """Declarations, and the bodies of functions."""

    depth = 0

    def module(self) -> Module:
        """Everything that the file declares; raises SourceError with the place."""
        tree = self.tree()
        self.out.doc = ast.get_docstring(tree) or ""
        for n in tree.body:
            if isinstance(n, ast.FunctionDef):
                self._function(n)
            else:
                self.declare(n)
        return self.out

    def _function(self, n: ast.FunctionDef) -> None:
        if n.name in RESERVED:
            raise self.fail("LP0211", f"function '{n.name}'", n, expected="another name")
        twice = next((d for d in self.out.defs if d.name == n.name), None)
        if twice is not None:
            raise self.fail(
                "LP0404",
                f"'{n.name}' has two bodies in one file",
                n,
                expected=f"one; the other is at {twice.span}",
                next="take one out",
            )
        attrs, meta = self.decorators(n)
        params = self.parameters(n)
        doc = ast.get_docstring(n) or ""
        body = n.body[1:] if doc else n.body
        self.out.meta[n.name] = meta
        self.out.marks[n.name] = self.marks(n)
        self.tell(f"{n.name}()", parameters(n), n, own=True)
        self.out.defs.append(
            s.Def(
                n.name,
                params,
                self.type(n.returns),
                self.body(body),
                self.span(n),
                attrs,
                doc,
                self.origin,
                n.end_lineno or n.lineno,
            )
        )

    def body(self, body: list[ast.stmt]) -> tuple[s.Stmt, ...]:
        return tuple(self.stmt(n) for n in body)

    def stmt(self, n: ast.stmt) -> s.Stmt:
        """One statement; raises SourceError LP0203 for what kernel functions do not have."""
        self.depth += 1
        if self.depth > DEPTH:
            raise self.too_deep(n)
        out = self._stmt(n, self.span(n))
        self.depth -= 1
        return out

    def _stmt(self, n: ast.stmt, sp: Span) -> s.Stmt:
        if isinstance(n, ast.Expr):
            return s.ExprStmt(self.expr(n.value), sp)
        if isinstance(n, ast.Assign) and len(n.targets) == 1:
            return s.ExprStmt(s.AssignE(self.expr(n.targets[0]), "", self.expr(n.value), sp), sp)
        if isinstance(n, ast.AugAssign) and type(n.op) in BINOP:
            op = BINOP[type(n.op)]
            return s.ExprStmt(s.AssignE(self.expr(n.target), op, self.expr(n.value), sp), sp)
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name):
            init = self.expr(n.value) if n.value else None
            return s.Declare(n.target.id, self.type(n.annotation), init, sp)
        if isinstance(n, ast.If):
            return s.If(self.expr(n.test), self.body(n.body), self.body(n.orelse), sp)
        if isinstance(n, ast.While) and not n.orelse:
            return s.While(self.expr(n.test), self.body(n.body), sp)
        if isinstance(n, ast.For) and not n.orelse:
            return self._for(n, sp)
        if isinstance(n, ast.With) and [ast.unparse(i) for i in n.items] == ["atomic"]:
            return s.AtomicStmt(self.body(n.body), sp)
        if isinstance(n, ast.Return):
            return s.ReturnStmt(self.expr(n.value) if n.value else None, sp)
        if isinstance(n, ast.Break | ast.Continue):
            return s.BreakStmt(sp) if isinstance(n, ast.Break) else s.ContinueStmt(sp)
        if isinstance(n, ast.Pass):
            return s.Group((), sp)
        raise self.refuse(
            n, "assignment, call, if, while, for, with atomic, return, break, continue"
        )

    def refuse(self, n: ast.AST, expected: str, told: str = "") -> SourceError:
        """LP0203: what it is, and what to write instead."""
        shown = told or ast.unparse(n).split("\n")[0][:40]
        return self.fail(
            "LP0203", f"kernel functions have no '{shown}'", n, expected=expected,
            next=instead_of(n),
        )  # fmt: skip

    def _for(self, n: ast.For, sp: Span) -> s.Stmt:
        it = n.iter
        loops = "for x in range(n), range(a, b) or each(struct)"
        if not (isinstance(n.target, ast.Name) and isinstance(it, ast.Call)) or it.keywords:
            raise self.refuse(n, loops)
        var, args = s.Name(n.target.id, sp), [self.expr(a) for a in it.args]
        head = it.func.id if isinstance(it.func, ast.Name) else ""
        t: ty.Type = ty.Int(-1, 127)
        if head == "each" and len(args) == 1 and isinstance(it.args[0], ast.Name):
            what = it.args[0].id
            lo: s.Expr = s.Num(0 if what == "cpu" else 1, sp)
            hi: s.Expr = s.Invoke("__count", (s.Name(what, sp),), sp)
            t = ty.CPU if what == "cpu" else ty.Ptr(what)
            op = "<" if what == "cpu" else "<="
        elif head == "range" and len(args) in (1, 2):
            lo, hi = (args[0], args[1]) if len(args) == 2 else (s.Num(0, sp), args[0])
            op = "<"
        else:
            raise self.refuse(it, loops)
        step = s.ExprStmt(s.AssignE(var, "", s.Binary("+", var, s.Num(1, sp), sp), sp), sp)
        init = s.Declare(n.target.id, t, lo, sp)
        return s.For((init,), s.Binary(op, var, hi, sp), (step,), self.body(n.body), sp)

    def expr(self, n: ast.expr) -> s.Expr:
        """One expression; raises SourceError LP0203 for what C does not have."""
        self.depth += len(n.values) - 1 if isinstance(n, ast.BoolOp) else 1
        if self.depth > DEPTH:
            raise self.too_deep(n)
        out = self._expr(n, self.span(n))
        self.depth -= len(n.values) - 1 if isinstance(n, ast.BoolOp) else 1
        return out

    def _expr(self, n: ast.expr, sp: Span) -> s.Expr:
        if isinstance(n, ast.Constant):
            return self._literal(n, sp)
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
        raise self.refuse(n, "C's operators, with and, or, not for &&, ||, !")

    def _literal(self, n: ast.Constant, sp: Span) -> s.Expr:
        if isinstance(n.value, str):
            return s.Str(n.value, sp)
        if n.value is None:
            return s.Name("NULL", sp)
        if not isinstance(n.value, int):
            raise self.refuse(n, "whole numbers, True, False, NULL")
        if n.value > MOST:
            raise self.too_large(n.value, n)
        return s.Num(int(n.value), sp)

    def _call(self, n: ast.Call, sp: Span) -> s.Expr:
        if not isinstance(n.func, ast.Name) or n.keywords:
            raise self.refuse(n, "name(argument, …), as in C")
        args = tuple(self.expr(a) for a in n.args)
        if n.func.id != "addr":
            return s.Invoke(n.func.id, args, sp)
        if len(args) != 1:
            raise self.fail("LP0207", f"addr with {len(args)} arguments", n, expected="1: a place")
        return s.Unary("&", args[0], sp)


INSTEAD: tuple[tuple[type[ast.AST] | tuple[type[ast.AST], ...], str], ...] = (
    (ast.Assert, "WARN_ON(not …), or a property"),
    ((ast.Try, ast.Raise), "return an error as C does, such as -1; BUG() for what never happens"),
    ((ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal), "leave it out: names are all known"),
    ((ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda), "move it to the top"),
    ((ast.For, ast.While), "docs/language.md, Statements; no else on loops"),
    (ast.With, "with atomic: for one step; preempt_disable() and the like are calls"),
    (ast.Match, "if and elif"),
    (ast.Assign, "one assignment a line, to one place"),
    (ast.NamedExpr, "an assignment of its own before it"),
    ((ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Starred), "a struct, or a field array[T, n]"),
    ((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), "a loop: for x in each(struct)"),
    (ast.Slice, "one element: x[i]"),
    (ast.JoinedStr, "leave it out: there are no strings"),
    (ast.Constant, "leave it out, or number the cases that differ"),
    (ast.Delete, "leave it out: nothing is allocated, locals end with the function"),
    ((ast.Yield, ast.YieldFrom, ast.Await), "await_until(condition) waits"),
)


def instead_of(n: ast.AST) -> str:
    """What to write in place of something that kernel functions do not have."""
    if isinstance(n, ast.Compare):
        if any(isinstance(op, ast.Is | ast.IsNot) for op in n.ops):
            return "== or !=: C compares values"
        return "one comparison each, with and between them"
    if isinstance(n, ast.AugAssign | ast.BinOp):
        if isinstance(n.op, ast.Div):
            return "// is C's division"
        return "one of + - * // % & | ^ << >>"
    if isinstance(n, ast.Call):
        return "arguments in the order of the parameters, of a function that is named"
    for kinds, told in INSTEAD:
        if isinstance(n, kinds):
            return told
    return "docs/language.md, Statements, has all that there is"


def parse_module(text: str, file: str, origin: str, aliases: dict[str, ty.Type]) -> Module:
    """Return what the file declares; raises SourceError (LP021x, LP0203) with the place.

    :param file: the name to show in places
    :param origin: the overlay the file belongs to
    :param aliases: enum types declared so far; this file's are added
    """
    parser = _Parser(text, file, origin, aliases)
    try:
        return parser.module()
    except RecursionError:
        raise parser.too_deep() from None

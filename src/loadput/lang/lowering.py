"""Syntax tree to IR: the one place that knows what a statement means.

Every read of memory becomes a `Load` into a temporary, in C's order of evaluation; `&&` and `||`
branch; the kernel's access macros become marks. Names with a meaning of their own are in `vocab`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..base.errors import SourceError
from ..base.source import Span
from ..ir import ops as o
from ..ir import types as ty
from ..ir.decls import Decls
from . import syntax as s
from .guess import INT, is_error_code, join, path, walk
from .infer import local_types
from .opaque import ABRIDGED, Opaque
from .place import Note, Value, beside, fit, place_name
from .show import render_stmt

BINARY = {
    **{"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod", "&": "and", "|": "or"},
    **{"^": "xor", "<<": "shl", ">>": "shr", "==": "eq", "!=": "ne", "<": "lt", "<=": "le"},
    **{">": "gt", ">=": "ge"},
}
COMPARE = ("eq", "ne", "lt", "le", "gt", "ge")
SHOWN = 200  # characters of a statement that a note shows
UNARY = {"!": "not", "-": "neg", "~": "inv"}


Rule = Callable[["Lowering", s.Invoke], Value]


@dataclass(frozen=True, slots=True)
class Words:
    """The names that a call gives a meaning of its own.

    :param rules: what becomes of a call of each
    :param arity: how many arguments it takes at least, and ``most`` at most
    :param no_effect: functions of C's that change nothing that is modelled
    """

    rules: Mapping[str, Rule]
    arity: Mapping[str, int]
    most: Mapping[str, int]
    no_effect: re.Pattern[str]


class Lowering(Opaque):
    """Lowers one function body against declarations; `run` gives the IR function."""

    def __init__(
        self,
        d: s.Def,
        decls: Decls,
        words: Words,
        infer: bool = False,
        notes: list[Note] | None = None,
        lenient: bool = False,
    ) -> None:
        super().__init__(d, decls, infer, notes)
        self.words, self.lenient = words, lenient
        self.loops: list[tuple[str, str]] = []
        self.atomic = 0
        self.labels: dict[str, str] = {}
        self.placed: list[str] = []
        self.gotos: list[s.Goto] = []
        self.narrow = local_types(d, decls) if self.is_c else {}

    def run(self) -> o.Function:
        """Return the function; raises SourceError (LP02xx) with the place."""
        self.stmts(self.d.body)
        lost = next((g for g in self.gotos if g.label not in self.placed), None)
        if lost is not None:
            raise self.fail(
                "LP0208",
                f"goto the unknown label '{lost.label}'",
                lost.span,
                expected="a label of the function",
                available=", ".join(self.placed) or "none",
            )
        return self.b.finish(self.d.span, self.d.attrs, self.d.origin, self.d.doc)

    # statements

    def stmts(self, body: tuple[s.Stmt, ...]) -> None:
        for st in body:
            self.stmt(st)

    def stmt(self, st: s.Stmt) -> None:
        if not (self.is_c and self.lenient):
            getattr(self, f"_{type(st).__name__}")(st)
            return
        at, loops, placed, atomic = self.b.mark(), len(self.loops), len(self.placed), self.atomic
        notes = len(self.notes) if self.notes is not None else 0
        try:
            getattr(self, f"_{type(st).__name__}")(st)
        except SourceError as e:
            self.b.back(at)
            del self.loops[loops:], self.placed[placed:]
            self.atomic = atomic
            if self.notes is not None:
                del self.notes[notes:]
            self._leave_out(st, e.what)

    def _leave_out(self, st: s.Stmt, why: str) -> None:
        """A statement of C's that has no meaning here: what it may write is any value after it."""
        inside = [st, *walk(st)]
        names = [n.name for n in inside if isinstance(n, s.Declare)]
        for n in inside:
            if isinstance(n, s.AssignE | s.PostInc) and isinstance(n.lhs, s.Name):
                names.append(n.lhs.id)
        for n in inside:
            if isinstance(n, s.Declare) and n.type is not None:
                self.b.local(n.name, self.narrow.get(n.name, n.type))
        text = render_stmt(st).split("\n")[0].strip()
        self._OpaqueStmt(s.OpaqueStmt(text, why, tuple(dict.fromkeys(names)), st.span))
        if isinstance(st, s.ReturnStmt) and self.d.ret != ty.VOID:
            self.b.emit(o.Return(self.choose(self.d.ret, text, st.span).expr, st.span))
        elif isinstance(st, s.ReturnStmt):
            self.b.emit(o.Return(None, st.span))

    def _ExprStmt(self, st: s.ExprStmt) -> None:
        self.rvalue(st.expr, used=False)

    def _Group(self, st: s.Group) -> None:
        self.stmts(st.body)

    def _Declare(self, st: s.Declare) -> None:
        t = self.narrow.get(st.name, st.type)
        unknown = isinstance(t, ty.Ptr) and t.struct not in self.decls.structs
        if st.init is None:
            self.b.local(st.name, ty.BOOL if unknown else t or INT)
            return
        v = self.rvalue(st.init, want=ty.BOOL if unknown else t)
        keep = t if t is not None and not isinstance(v.type, ty.Token) else None
        dst = self.b.local(st.name, v.type if keep is None or unknown else keep)
        self.b.emit(o.Assign(dst.name, self.fit(v, self.b.types[dst.name], st.span), st.span))

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
        self.counting = True
        self.stmts(st.init)
        self.b.start(head)
        if st.cond is not None:
            self.cond(st.cond, body, end)
        self.counting = False
        self.b.start(body)
        self.loops.append((end, step))
        self.stmts(st.body)
        self.loops.pop()
        self.b.start(step)
        self.counting = True
        self.stmts(st.step)
        self.counting = False
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

    def _OpaqueStmt(self, st: s.OpaqueStmt) -> None:
        text = st.text if len(st.text) <= SHOWN else st.text[:SHOWN] + "…"
        self.note("opaque statement", f"{text}: {st.why}", st.span)
        for name in st.writes:
            if name in self.b.types:
                v = self.choose(self.b.types[name], text, st.span)
                self.b.emit(o.Assign(name, v.expr, st.span))

    def _ForeignStmt(self, st: s.ForeignStmt) -> None:
        was, self.is_c = self.is_c, True
        self.stmts(st.body)
        self.is_c = was

    def _BreakStmt(self, st: s.BreakStmt) -> None:
        self._leave(st.span, 0, "break")

    def _ContinueStmt(self, st: s.ContinueStmt) -> None:
        self._leave(st.span, 1, "continue")

    def _leave(self, span: Span, which: int, word: str) -> None:
        if not self.loops or not self.loops[-1][which]:
            raise self.fail("LP0205", f"'{word}' outside a loop", span, expected="a loop around it")
        self.b.emit(o.Jump(self.loops[-1][which], span))

    def _ReturnStmt(self, st: s.ReturnStmt) -> None:
        v = self.rvalue(st.value, want=self.d.ret) if st.value is not None else None
        for _ in range(self.atomic):
            self.b.emit(o.Atomic(False, st.span))
        if not self.is_c and (v is None) != (self.d.ret == ty.VOID):
            raise self.fail(
                "LP0209",
                f"{self.d.name} returns {'nothing' if v is None else 'a value'}",
                st.span,
                expected=f"what its -> says: {self.d.ret}",
                next="-> TYPE behind the parameters is what a function returns",
            )
        if self.d.ret == ty.VOID or v is None:
            self.b.emit(o.Return(None if self.d.ret == ty.VOID else o.Const(0), st.span))
        else:
            told = f"{self.d.name} returns"
            self.b.emit(o.Return(self.fit(v, self.d.ret, st.span, told), st.span))

    def _Goto(self, st: s.Goto) -> None:
        self.gotos.append(st)
        self.b.emit(o.Jump(self._label(st.label), st.span))

    def _LabelStmt(self, st: s.LabelStmt) -> None:
        if st.label in self.placed:
            raise self.fail("LP0208", f"label '{st.label}' twice", st.span, expected="one place")
        self.placed.append(st.label)
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
        elif isinstance(e, s.Foreign):
            was, self.is_c = self.is_c, True
            self.cond(e.inner, then, other)
            self.is_c = was
        else:
            self.b.emit(o.Branch(self.rvalue(e, want=ty.BOOL).expr, then, other, e.span))

    # values

    def rvalue(self, e: s.Expr, used: bool = True, want: ty.Type | None = None) -> Value:
        """Evaluate ``e``: loads and calls are emitted, the pure rest is returned.

        :param want: the type that the context takes; decides what a value from outside may be
        """
        if isinstance(e, s.Foreign):
            was, self.is_c = self.is_c, True
            got = self.rvalue(e.inner, used, want)
            self.is_c = was
            return got
        if self.is_c and not is_error_code(e):
            why = self.guess.opaque(e)
            if why:
                return self.any_value(e, why, want, used)
        if isinstance(e, s.Num):
            return Value(o.Const(e.value), INT)
        if isinstance(e, s.Str):
            if self.is_c:
                return Value(o.Const(0), INT)
            raise self.fail(
                "LP0203", "kernel functions have no strings", e.span,
                expected="a number, a name, a call", next="number the cases that differ",
            )  # fmt: skip
        if isinstance(e, s.Invoke):
            return self.invoke(e, used, want)
        if isinstance(e, s.Binary):
            return self._binary(e)
        if isinstance(e, s.Ternary):
            return self._ternary(e, want)
        if isinstance(e, s.Comma):
            self.rvalue(e.a, used=False)
            return self.rvalue(e.b, used, want)
        if isinstance(e, s.AssignE):
            return self._assign(e, used, want)
        if isinstance(e, s.PostInc):
            if self.is_c and self.guess.opaque(e.lhs):
                return self.drop_store(e.lhs, None, used, want)
            cell = self.lvalue(e.lhs)
            old = self.read(cell, "plain", e.span)
            keep = self.b.temp(old.type)
            self.b.emit(o.Assign(keep.name, old.expr, e.span))
            self.write(cell, o.Bin("add", keep, o.Const(e.by)), "plain", e.span)
            return Value(keep, old.type)
        if isinstance(e, s.Unary) and e.op == "&":
            return self._address(e)
        if self.is_c and is_error_code(e):
            self.note("error code", path(e), e.span)
            return Value(o.Const(-1, path(e)), INT)
        if isinstance(e, s.Unary) and e.op in UNARY:
            a = self.rvalue(e.a, want=ty.BOOL if e.op == "!" else None)
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
        if e.id in ("NULL", "None"):
            return Value(o.Const(0, "NULL" if e.id == "NULL" else ""), INT)
        if e.id in ("False", "false"):
            return Value(o.Const(0), ty.BOOL)
        if e.id in ("True", "true"):
            return Value(o.Const(1), ty.BOOL)
        if e.id == "current":
            return Value(o.Leaf("current"), ty.Ptr("task_struct"))
        if e.id == "nr_cpu_ids":
            return Value(o.Sym("NR_CPUS"), INT)
        if e.id in self.decls.consts:
            return Value(o.Sym(e.id), INT)
        return None

    def _binary(self, e: s.Binary) -> Value:
        if e.op in ("&&", "||"):
            return self._truth(e)
        a = self.rvalue(e.a, want=self.beside(e, e.b))
        if isinstance(a.expr, o.Local) and not a.expr.name.startswith(".") and _has_effect(e.b):
            keep = self.b.temp(a.type)
            self.b.emit(o.Assign(keep.name, a.expr, e.span))
            a = Value(keep, a.type)
        b = self.rvalue(e.b, want=self.beside(e, e.a))
        told = "" if self.is_c or self.counting else self.unlike(e.op, a, b)
        if told:
            raise self.clashes(told, b.type, a.type, e.span, f"'{e.op}'")
        if e.op not in BINARY:
            raise self.fail("LP0203", f"operator '{e.op}'", e.span, expected="an operator of C")
        op = BINARY[e.op]
        is_bool = op in COMPARE or (op in ("and", "or", "xor") and a.type == b.type == ty.BOOL)
        if op in COMPARE and self.is_c:
            a, b = self.as_unsigned(e.a, a), self.as_unsigned(e.b, b)
        return Value(_fold(o.Bin(op, a.expr, b.expr)), ty.BOOL if is_bool else INT)

    def unlike(self, op: str, a: Value, b: Value) -> str:
        """Why ``op`` means nothing for these two; "" where it does."""
        if op in ("==", "!="):
            return beside(a, b)
        for v in (a, b):
            # A pointer is the number of its instance, from 1.
            is_index = isinstance(v.type, ty.Ptr) and op in ("+", "-", "<", "<=", ">", ">=")
            if isinstance(v.type, ty.Ptr | ty.Token | ty.Void) and not is_index:
                return f"a {v.type} is no number"
        return ""

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

    def _ternary(self, e: s.Ternary, want: ty.Type | None) -> Value:
        then, other, end = (self.b.new_label() for _ in range(3))
        self.cond(e.cond, then, other)
        self.b.start(then)
        a = self.rvalue(e.a, want=want)
        after_a = self.guess.type(e.b)
        dst = self.b.temp(join(a.type, after_a) if after_a is not None else want or a.type)
        t = self.b.types[dst.name]
        self.b.emit(o.Assign(dst.name, self.fit(a, t, e.span), e.span))
        self.b.emit(o.Jump(end, e.span))
        self.b.start(other)
        c = self.rvalue(e.b, want=t)
        self.b.emit(o.Assign(dst.name, self.fit(c, t, e.span), e.span))
        self.b.start(end)
        return Value(dst, t)

    def _assign(self, e: s.AssignE, used: bool, want: ty.Type | None) -> Value:
        if isinstance(e.lhs, s.Name) and e.lhs.id not in self.b.types:
            mine = not self.is_c or "." in e.lhs.id
            if e.lhs.id not in self.decls.globals and not e.op and mine:
                v = self.rvalue(e.rhs)
                if not self.is_c:
                    self.fit(v, v.type, e.span, e.lhs.id)
                dst = self.b.local(e.lhs.id, v.type)
                self.b.emit(o.Assign(dst.name, v.expr, e.span))
                return Value(dst, v.type)
        if self.is_c and self.guess.opaque(e.lhs):
            return self.drop_store(e.lhs, e.rhs, used, want)
        cell = self.lvalue(e.lhs)
        if e.op:
            old = self.read(cell, "plain", e.span)
            new = self.rvalue(e.rhs, want=cell.type)
            told = "" if self.is_c else self.unlike(e.op, old, new)
            if told:
                raise self.clashes(told, new.type, old.type, e.span, f"'{e.op}='")
            v = Value(o.Bin(BINARY[e.op], old.expr, new.expr), INT if self.is_c else old.type)
        else:
            v = self.rvalue(e.rhs, want=cell.type)
        new_expr = self.fit(v, cell.type, e.span, place_name(cell))
        self.write(cell, new_expr, "plain", e.span)
        if cell.place is None:
            return Value(o.Local(cell.local), cell.type)
        return Value(new_expr, cell.type)

    def invoke(self, e: s.Invoke, used: bool, want: ty.Type | None = None) -> Value:
        """A call: a name of the vocabulary, or a function."""
        words = self.words
        sig = self.decls.funcs.get(e.fn)
        known = words.rules.get(e.fn) if sig is None else None
        if known is not None:
            least = words.arity.get(e.fn, 0)
            most = len(e.args) if self.is_c else words.most.get(e.fn, least)
            if not least <= len(e.args) <= most:
                raise self.fail(
                    "LP0207",
                    f"{e.fn} called with {len(e.args)} arguments",
                    e.span,
                    expected=f"{least}" + (f" to {most}" if most > least else ""),
                    next="docs/language.md, Statements, says what it takes",
                )
            if self.is_c and self.place_is_opaque(e):
                return self.opaque_access(e, used, want)
            return known(self, e)
        if self.is_c and sig is None and words.no_effect.match(e.fn):
            self.note("no effect", e.fn, e.span)
            return Value(o.Const(0), ty.VOID if not used else ty.BOOL)
        if self.is_c and sig is not None and len(e.args) != len(sig.params):
            if self.lenient or len(e.args) in ABRIDGED.get(e.fn, ()):
                return self.call_abridged(e, sig, used, want)
        if sig is not None and len(sig.params) != len(e.args):
            raise self.fail(
                "LP0207",
                f"{e.fn} called with {len(e.args)} arguments",
                e.span,
                expected=f"{len(sig.params)}: {', '.join(n for n, _ in sig.params)}",
                next="change the signature in an overlay that declares it",
            )
        if sig is None and self.is_c:
            return self.call_unknown(e, used, want)
        if self.is_c and sig is not None and self.asks_for_unknown(e, sig.params):
            self.note("dropped call", path(e), e.span)
            return self.choose(sig.ret, path(e), e.span) if used else Value(o.Const(0), ty.VOID)
        types = [t for _, t in sig.params] if sig else []
        if sig is None:  # opaque: nothing takes what it is given
            args = tuple(self.rvalue(a).expr for a in e.args if not _is_lost(a))
        else:
            args = tuple(self._argument(a, t) for a, t in zip(e.args, types, strict=True))
        ret = sig.ret if sig else INT
        dst = self.b.temp(ret) if used and ret != ty.VOID else None
        self.b.emit(o.Call(dst.name if dst else "", e.fn, args, e.span))
        return Value(dst or o.Const(0), ret)

    def _argument(self, a: s.Expr, t: ty.Type) -> o.Expr:
        if isinstance(a, s.Unary) and a.op == "&":
            held = self._struct_value(a.a)
            inside = self._root(t)(a) if self.is_c and held is None else None
            if inside is not None:  # the place inside a struct, where ours takes the struct
                return fit(self.rvalue(inside, want=t), t)
            if held is None and not self.is_c:
                return self._address(a).expr
            return self.fit(held, t, a.span, "an argument") if held else o.Const(0)
        return self.fit(self.rvalue(a, want=t), t, a.span, "an argument")


def _is_lost(a: s.Expr) -> bool:
    """A text, or the address of something: what only the called function would look at."""
    return isinstance(a, s.Str) or (isinstance(a, s.Unary) and a.op == "&")


def _has_effect(e: s.Expr) -> bool:
    if isinstance(e, s.AssignE | s.PostInc):
        return True
    kids = [getattr(e, n, None) for n in ("a", "b", "base", "index", "cond")]
    return any(_has_effect(k) for k in kids if k is not None and not isinstance(k, str))


def _fold(e: o.Expr) -> o.Expr:
    if isinstance(e, o.Un) and e.op == "neg" and isinstance(e.a, o.Const):
        return o.Const(-e.a.value)
    return e

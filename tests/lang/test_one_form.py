"""Two bodies that come to one form do the same: each step to it keeps what a body does.

Random functions are run as C runs them, before and after: what they call, with which arguments,
what they leave in memory and what they give is the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from loadput.base.source import Span
from loadput.ir.types import BOOL, VOID
from loadput.lang import syntax as s
from loadput.lang.carry.tidy import positively, tidy
from loadput.lang.guess import INT

AT = Span("f.c", 1, 1, 1)
LOCALS, FIELDS = ("a", "b", "i"), ("x", "y")
ZERO = {"NULL": 0, "false": 0, "true": 1}
COMPARED = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


class Leave(Exception):
    """What a statement does to what is around it: ``args`` is how, and with what."""


class Long(Exception):
    """It goes round for too long to be told."""


@dataclass
class Machine:
    """What runs a body: locals, memory, and what it has called."""

    answers: Sequence[int]
    locals: dict[str, int]
    memory: dict[str, int]
    trace: list[tuple[Any, ...]] = field(default_factory=list)
    fuel: int = 200

    def value(self, e: s.Expr) -> int:
        if isinstance(e, s.Num):
            return e.value
        if isinstance(e, s.Name):
            return ZERO[e.id] if e.id in ZERO else self.locals[e.id]
        if isinstance(e, s.Member):
            return self.memory[e.name]
        if isinstance(e, s.Invoke):
            args = tuple(self.value(a) for a in e.args)
            got = self.answers[len(self.trace) % len(self.answers)]
            self.trace.append((e.fn, args, dict(self.memory)))
            return got
        if isinstance(e, s.Unary):
            return int(not self.value(e.a))
        if isinstance(e, s.Ternary):
            return self.value(e.a) if self.value(e.cond) else self.value(e.b)
        if isinstance(e, s.AssignE):
            got = self.value(e.rhs)
            if e.op:
                got += self.value(e.lhs)
            self.put(e.lhs, got)
            return got
        if isinstance(e, s.PostInc):
            was = self.value(e.lhs)
            self.put(e.lhs, was + e.by)
            return was
        assert isinstance(e, s.Binary)
        if e.op in ("&&", "||"):
            a = self.value(e.a)
            return int(bool(a)) if bool(a) == (e.op == "||") else int(bool(self.value(e.b)))
        a, b = self.value(e.a), self.value(e.b)
        return {"+": a + b, **{op: int(is_so(a, b)) for op, is_so in COMPARED.items()}}[e.op]

    def put(self, lhs: s.Expr, value: int) -> None:
        if isinstance(lhs, s.Name):
            self.locals[lhs.id] = value
        else:
            assert isinstance(lhs, s.Member)
            self.memory[lhs.name] = value

    def block(self, body: Sequence[s.Stmt], start: int = 0) -> None:
        for x in body[start:]:
            self.one(x)

    def whole(self, body: Sequence[s.Stmt]) -> int | None:
        """What the function gives; a jump goes to a label of its outermost block."""
        at = 0
        while True:
            try:
                self.block(body, at)
            except Leave as e:
                how, what = e.args
                if how == "return":
                    return what  # type: ignore[no-any-return]
                at = next(i for i, x in enumerate(body) if getattr(x, "label", "") == what
                          and isinstance(x, s.LabelStmt))  # fmt: skip
                continue
            return None

    def one(self, x: s.Stmt) -> None:
        self.fuel -= 1
        if self.fuel < 0:
            raise Long
        if isinstance(x, s.ExprStmt):
            self.value(x.expr)
        elif isinstance(x, s.Declare):
            self.locals[x.name] = self.value(x.init) if x.init is not None else 0
        elif isinstance(x, s.If):
            self.block(x.then if self.value(x.cond) else x.other)
        elif isinstance(x, s.Group):
            self.block(x.body)
        elif isinstance(x, s.ReturnStmt):
            raise Leave("return", None if x.value is None else self.value(x.value))
        elif isinstance(x, s.Goto):
            raise Leave("goto", x.label)
        elif isinstance(x, s.BreakStmt | s.ContinueStmt):
            raise Leave(type(x).__name__, None)
        elif isinstance(x, s.Switch):
            self._switch(x)
        elif isinstance(x, s.While | s.For):
            self._loop(x)
        else:
            assert isinstance(x, s.LabelStmt)

    def _switch(self, x: s.Switch) -> None:
        v = self.value(x.value)
        rows = [i for i, (vs, _) in enumerate(x.cases) if any(self.value(c) == v for c in vs)]
        rows = rows or [i for i, (vs, _) in enumerate(x.cases) if not vs] or [len(x.cases)]
        try:
            for _, body in x.cases[rows[0] :]:
                self.block(body)
        except Leave as e:
            if e.args[0] != "BreakStmt":
                raise

    def _loop(self, x: s.While | s.For) -> None:
        first = isinstance(x, s.While) and not x.test_first
        if isinstance(x, s.For):
            self.block(x.init)
        while first or x.cond is None or self.value(x.cond):
            first = False
            self.fuel -= 1
            if self.fuel < 0:
                raise Long
            try:
                self.block(x.body)
            except Leave as e:
                if e.args[0] == "BreakStmt":
                    return
                if e.args[0] != "ContinueStmt":
                    raise
            if isinstance(x, s.For):
                self.block(x.step)


def name(n: str) -> s.Name:
    return s.Name(n, AT)


class Draw:
    """A function, drawn piece by piece.

    Which of two calls in one comparison C makes first is not said: there is one at most.
    """

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def of(self, *words: str) -> str:
        return self.draw(st.sampled_from(words))

    def plain(self) -> s.Expr:
        got = self.of(*LOCALS, "0", "1", "2")
        return s.Num(int(got), AT) if got.isdigit() else name(got)

    def place(self) -> s.Expr:
        got = self.of(*LOCALS, *FIELDS)
        return s.Member(name("p"), got, AT) if got in FIELDS else name(got)

    def leaf(self) -> s.Expr:
        how = self.of("plain", "place", "call")
        if how == "call":
            arg = self.plain()
            if self.of("a", "b", "c") == "b":
                arg = s.Ternary(self.plain(), arg, self.plain(), AT)
            return s.Invoke(self.of("f", "g"), (arg,), AT)
        return self.plain() if how == "plain" else self.place()

    def compared(self) -> s.Expr:
        none = s.Num(0, AT) if self.of("0", "name") == "0" else name(self.of("NULL", "false"))
        op, other = self.of(*COMPARED, "+"), self.plain()
        if op in ("==", "!=") and self.of("none", "some") == "none":
            other = none
        a, b = self.leaf(), other
        turned = op in ("==", "!=") and self.of("a", "b") == "b"
        return s.Binary(op, b, a, AT) if turned else s.Binary(op, a, b, AT)

    def cond(self, deep: int = 2) -> s.Expr:
        how = self.of("leaf", "compared", "!", "&&", "||")
        if how == "leaf" or not deep:
            return self.leaf()
        if how == "compared":
            return self.compared()
        if how == "!":
            return s.Unary("!", self.cond(deep - 1), AT)
        return s.Binary(how, self.cond(deep - 1), self.cond(deep - 1), AT)

    def value(self) -> s.Expr:
        how = self.of("leaf", "cond", "choice")
        if how == "choice":
            return s.Ternary(self.cond(1), self.leaf(), self.leaf(), AT)
        return self.leaf() if how == "leaf" else self.cond()

    def simple(self) -> s.Stmt:
        how = self.of("set", "local", "add", "one", "call", "two")
        if how == "two":  # ``x = y++``
            lhs, rhs = name(self.of("a", "b")), s.PostInc(s.Member(name("p"), "x", AT), 1, AT)
            return s.ExprStmt(s.AssignE(lhs, "", rhs, AT), AT)
        if how == "one":
            return s.ExprStmt(s.PostInc(self.place(), 1, AT), AT)
        if how == "call":
            return s.ExprStmt(s.Invoke(self.of("f", "g"), (self.plain(),), AT), AT)
        lhs = name(self.of(*LOCALS)) if how == "local" else self.place()
        rhs = self.plain() if how == "add" else self.value()
        return s.ExprStmt(s.AssignE(lhs, "+" if how == "add" else "", rhs, AT), AT)

    def block(self, deep: int, *, may_break: bool = False) -> tuple[s.Stmt, ...]:
        many = self.draw(st.integers(1, 3))
        out = [self.stmt(deep) for _ in range(many)]
        if may_break and self.of("falls", "breaks") == "breaks":
            test = s.If(self.cond(1), (s.BreakStmt(AT),), (), AT)
            out.insert(self.draw(st.integers(0, many)), test)
        return tuple(out)

    def stmt(self, deep: int = 2) -> s.Stmt:
        how = self.of(
            *("simple", "simple", "leaves", "if", "if", "kept", "group", "loop", "switch", "first")
        )
        if how == "leaves":
            value = name(self.of("true", "false")) if self.of("v", "w") == "v" else self.value()
            return s.Goto("out", AT) if self.of("a", "b") == "b" else s.ReturnStmt(value, AT)
        if how == "simple" or not deep:
            return self.simple()
        if how == "if":
            other = self.block(deep - 1) if self.of("a", "b") == "b" else ()
            return s.If(self.cond(), self.block(deep - 1), other, AT)
        if how == "first":  # a constant is set, and another value by a test behind it
            lhs = name(self.of(*LOCALS))
            first = s.ExprStmt(s.AssignE(lhs, "", self.plain(), AT), AT)
            then = s.ExprStmt(s.AssignE(lhs, "", self.leaf(), AT), AT)
            return s.Group((first, s.If(self.cond(), (then,), (), AT)), AT)
        if how == "group":
            return s.Group(self.block(deep - 1), AT)
        if how == "kept":
            self.kept = f"{getattr(self, 'kept', 'kept')}_"
            test: s.Expr = name(self.kept)
            if self.of("a", "b") == "b":
                test = s.Binary("==", *(test, self.plain())[:: 1 if deep > 1 else -1], AT)
            head = s.Declare(self.kept, INT, self.value(), AT)
            if self.of("a", "b") == "b":  # whether something is not so
                no = s.Unary("!", self.cond(1), AT)
                head = s.Declare(self.kept, BOOL, no, AT)
            return s.Group((head, s.If(test, self.block(deep - 1), (), AT)), AT)
        if how == "loop":
            body = self.block(deep - 1, may_break=True)
            if self.of("while", "for") == "for":
                return s.For((), None if self.of("a", "b") == "b" else self.cond(1), (), body, AT)
            if self.of("a", "b", "c") == "c":
                leave = s.If(self.cond(1), (s.BreakStmt(AT),), (), AT)
                return s.While(s.Num(1, AT), (*body, leave), AT)
            if self.of("a", "b", "c") == "c":
                return s.While(s.Num(0, AT), body, AT, test_first=False)
            if self.of("a", "b", "c") == "c":
                first = self.simple()
                return s.Group((first, s.While(self.cond(1), (*body, first), AT)), AT)
            return s.While(self.cond(1), body, AT, self.of("a", "b") == "b")
        rows: list[Any] = []
        for v in (*((s.Num(n, AT),) for n in (0, 1)), ()):
            body = self.block(deep - 1) if self.of("body", "none") == "body" else ()
            rows.append((v, (*body, s.BreakStmt(AT)) if self.of("a", "b") != "b" else body))
        return s.Switch(self.place(), tuple(rows), AT)


@st.composite
def functions(draw: st.DrawFn) -> s.Def:
    d = Draw(draw)
    ret = draw(st.sampled_from([BOOL, INT, VOID]))
    body = [*d.block(2), *d.block(2), s.LabelStmt("out", AT)]
    body += [d.simple() for _ in range(draw(st.integers(0, 2)))]
    if ret != VOID:
        body.append(s.ReturnStmt(d.value(), AT))
    made = s.Def("f", tuple((n, INT) for n in LOCALS), ret, tuple(body), AT, lang="c")
    return without_values(made) if ret == VOID else made


def without_values(d: s.Def) -> s.Def:
    """A function that gives nothing returns without a value."""

    def one(x: s.Stmt) -> s.Stmt:
        if isinstance(x, s.ReturnStmt):
            return s.ReturnStmt(None, AT)
        changes: dict[str, Any] = {}
        for f in dataclasses.fields(x):
            v = getattr(x, f.name)
            if f.name == "cases":
                changes[f.name] = tuple((k, tuple(map(one, b))) for k, b in v)
            elif isinstance(v, tuple) and v and isinstance(v[0], s.Stmt):
                changes[f.name] = tuple(map(one, v))
        return dataclasses.replace(x, **changes) if changes else x

    return dataclasses.replace(d, body=tuple(map(one, d.body)))


def run(d: s.Def, answers: Sequence[int], start: Sequence[int]) -> tuple[Any, ...]:
    known = (dict(zip(names, start, strict=False)) for names in (LOCALS, FIELDS))
    m = Machine(answers, *known)
    got = m.whole(d.body)
    return (bool(got) if d.ret == BOOL else got), m.memory, m.trace


SMALL = st.integers(0, 2)


@given(functions(), st.lists(SMALL, min_size=3, max_size=6), st.tuples(SMALL, SMALL, SMALL))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_one_form_of_a_body_does_what_the_body_does(
    d: s.Def, answers: list[int], start: tuple[int, int, int]
) -> None:
    try:
        was = run(d, answers, start)
    except Long:
        assume(False)
    assert run(tidy(d), answers, start) == was
    assert run(positively(d), answers, start) == was

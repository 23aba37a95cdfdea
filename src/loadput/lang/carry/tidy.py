"""Forms of one control flow that are the same: a return early and an else, a test and its negation,
a value that is named before it is used, and used at once.

Each step keeps what a body does, so that two bodies that come to one text do the same.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from ...ir.types import BOOL
from .. import syntax as s
from ..guess import walk
from ..show import render_expr
from .jumps import LEAVES, alike, flat, leaves, tested_last
from .plain import inside, plain, sets
from .terms import rewrite, rewrite_stmt

_OTHER = {
    **{"==": "!=", "!=": "==", "&&": "||", "||": "&&"},
    **{"<": ">=", ">=": "<", ">": "<=", "<=": ">"},
}
_TURNED = ("!=", "||", ">=", "<=")  # of a test with an else: the other way is the one it goes by


def tidy(d: s.Def) -> s.Def:
    """``d`` in one form of those that do the same."""
    d = _used_at_once(plain(_used_at_once(d)))
    is_void = not any(isinstance(n, s.ReturnStmt) and n.value for n in walk(d.body))
    body = tuple(rewrite_stmt(st, _sided) for st in _block(d.body))
    if d.ret == BOOL:
        body = _answered(body)
    return dataclasses.replace(d, body=_ended(body) if is_void else body)


def _used_at_once(d: s.Def) -> s.Def:
    """``d`` without the locals that only give a value a name."""
    names = Counter(n.id for n in walk(d.body) if isinstance(n, s.Name))
    inits = Counter(n.name for n in walk(d.body) if isinstance(n, s.Declare) and n.init)
    own = {n.name for n in walk(d.body) if isinstance(n, s.Declare)}
    lost = " ".join(n.text for n in walk(d.body) if isinstance(n, s.OpaqueStmt))
    once = {n for n in own if names[n] + inits[n] == 2 and n not in lost}
    return dataclasses.replace(d, body=_at_once(d.body, once))


def positively(d: s.Def) -> s.Def:
    """``d`` with each local that says once whether something is not so as one that it is so."""
    rows = [sets(n) for n in walk(d.body) if isinstance(n, s.Stmt)]
    count = Counter(n for n, _ in rows)
    told = {n for n, v in rows if v is not None and count[n] == 1 and _denies(v)}
    told &= {n.name for n in walk(d.body) if isinstance(n, s.Declare) and n.type == BOOL}
    for n in walk(d.body):
        if isinstance(n, s.Unary) and n.op == "&" and isinstance(n.a, s.Name):
            told.discard(n.a.id)
        elif isinstance(n, s.OpaqueStmt):
            told -= set(n.writes)
        elif isinstance(n, s.PostInc) or (isinstance(n, s.AssignE) and n.op):
            told -= {n.lhs.id} if isinstance(n.lhs, s.Name) else set()

    def one(e: s.Expr) -> s.Expr | None:
        if isinstance(e, s.AssignE) and isinstance(e.lhs, s.Name) and e.lhs.id in told:
            return dataclasses.replace(e, rhs=_negated(rewrite(e.rhs, one)))
        return s.Unary("!", e, e.span) if isinstance(e, s.Name) and e.id in told else None

    def turned(body: Sequence[s.Stmt]) -> tuple[s.Stmt, ...]:
        return tuple(
            dataclasses.replace(st, init=_negated(st.init))
            if isinstance(st, s.Declare) and st.name in told and st.init is not None
            else inside(st, turned)
            for st in body
        )

    body = turned(tuple(rewrite_stmt(st, one) for st in d.body))
    return dataclasses.replace(d, body=body) if told else d


def _denies(e: s.Expr) -> bool:
    return (isinstance(e, s.Unary) and e.op == "!") or (
        isinstance(e, s.Binary) and e.op in ("!=", ">=", "<=")
    )


def _sided(e: s.Expr) -> s.Expr | None:
    """What is compared, in the order of its text, the smaller one first."""
    if isinstance(e, s.Binary) and e.op in (">", ">="):
        a, b = (rewrite(x, _sided) for x in (e.b, e.a))
        return dataclasses.replace(e, a=a, b=b, op=e.op.replace(">", "<"))
    if not isinstance(e, s.Binary) or e.op not in ("==", "!="):
        return None
    a, b = sorted((rewrite(x, _sided) for x in (e.a, e.b)), key=render_expr)
    return dataclasses.replace(e, a=a, b=b)


def _at_once(body: Sequence[s.Stmt], once: AbstractSet[str]) -> tuple[s.Stmt, ...]:
    """``body`` without locals that are set and then read by the next statement, and nowhere else.

    :param once: the locals that are set once and read once
    """
    out: list[s.Stmt] = []
    for st in flat(body):
        name, value = sets(out[-1]) if out else ("", None)
        if name in once and value is not None:
            new = _with_value(st, name, value)
            if new is not None:
                out[-1] = new
                continue
        out.append(st)
    done = [inside(st, lambda b: _at_once(b, once)) for st in out]
    gone = once - {n.id for st in done for n in (st, *walk(st)) if isinstance(n, s.Name)}
    return tuple(
        st for st in done if not (isinstance(st, s.Declare) and st.init is None and st.name in gone)
    )


_FIRST = {s.If: "cond", s.Switch: "value", s.ExprStmt: "expr", s.ReturnStmt: "value"}


def _with_value(st: s.Stmt, name: str, value: s.Expr) -> s.Stmt | None:
    """``st`` with ``value`` for the local that it reads first of all; None where it does not."""
    field = "init" if isinstance(st, s.Declare) else _FIRST.get(type(st), "")
    e = getattr(st, field, None)
    if not isinstance(e, s.Expr) or not _is_first(e, name):
        return None
    new = rewrite(e, lambda x: value if isinstance(x, s.Name) and x.id == name else None)
    return dataclasses.replace(st, **{field: new})  # type: ignore[arg-type]


def _is_first(e: s.Expr, name: str) -> bool:
    """Whether ``e`` reads the local ``name`` before it does or reads anything that may change."""
    if isinstance(e, s.Name):
        return e.id == name
    if isinstance(e, s.Unary):
        return e.op != "&" and _is_first(e.a, name)
    if isinstance(e, s.Member):
        return _is_first(e.base, name)
    if isinstance(e, s.Binary):
        plain = e.op not in ("&&", "||") and isinstance(e.a, s.Name | s.Num)
        return _is_first(e.a, name) or (plain and _is_first(e.b, name))
    if isinstance(e, s.Ternary):
        return _is_first(e.cond, name)
    if isinstance(e, s.Invoke):
        at = next((i for i, a in enumerate(e.args) if _is_first(a, name)), -1)
        return at >= 0 and all(isinstance(a, s.Name | s.Num) for a in e.args[:at])
    if isinstance(e, s.AssignE):
        return isinstance(e.lhs, s.Name) and e.lhs.id != name and _is_first(e.rhs, name)
    return False


def _block(body: Sequence[s.Stmt]) -> tuple[s.Stmt, ...]:
    out: list[s.Stmt] = []
    for i, st in enumerate(body):
        if isinstance(st, s.If) and _is_true(st.cond) and not st.other:
            return (*out, *_block((*st.then, *body[i + 1 :])))
        if isinstance(st, s.If):
            st, rest = _joined(st), tuple(body[i + 1 :])
            if rest and leaves(st.then) and not st.other:
                return (*out, *_if(dataclasses.replace(st, other=rest)))
            if rest and st.other and leaves(st.then):
                return (*out, *_if(dataclasses.replace(st, other=(*st.other, *rest))))
            if rest and leaves(st.other):
                return (*out, *_if(dataclasses.replace(st, then=(*st.then, *rest))))
            out += _if(st)
        elif isinstance(st, s.While | s.For | s.AtomicStmt):
            st = _loop(st) if not isinstance(st, s.AtomicStmt) else st
            out.append(dataclasses.replace(st, body=_block(st.body)))
        elif isinstance(st, s.Switch):
            cases = tuple((v, _block(b)) for v, b in st.cases)
            out.append(dataclasses.replace(st, cases=cases))
        else:
            out.append(st)
            if isinstance(st, LEAVES):
                return (*out, *body[i + 1 :])
    return tuple(out)


def _loop(st: s.While | s.For) -> s.While | s.For:
    """A loop with its test at its head, where it is what its body begins with."""
    if isinstance(st, s.For):
        if st.init or st.step:
            return st
        st = s.While(st.cond or s.Num(1, st.span), st.body, st.span)
    first = st.body[0] if st.body else None
    if _is_true(st.cond) and st.test_first and isinstance(first, s.If) and not first.other:
        if len(first.then) == 1 and isinstance(first.then[0], s.BreakStmt):
            return dataclasses.replace(st, cond=_negated(first.cond), body=st.body[1:])
    if _is_true(st.cond) and st.test_first and isinstance(first, s.If):
        if len(first.other) == 1 and isinstance(first.other[0], s.BreakStmt):
            body = (*first.then, *st.body[1:])
            return dataclasses.replace(st, cond=positive(first.cond), body=body)
    st = tested_last(st)
    cond = s.Num(1, st.span) if _is_true(st.cond) else positive(st.cond)
    return dataclasses.replace(st, cond=cond)


def _is_true(e: s.Expr) -> bool:
    return (isinstance(e, s.Num) and e.value != 0) or (isinstance(e, s.Name) and e.id == "true")


def _if(st: s.If) -> tuple[s.Stmt, ...]:
    """A branch with its test the right way round, and without a test of a test; behind it what
    both of its ways end with.
    """
    then, other = _block(st.then), _block(st.other)
    n = 0
    while n < min(len(then), len(other)) and alike(then[-1 - n], other[-1 - n]):
        n += 1
    ways = dataclasses.replace(st, then=then[: len(then) - n], other=other[: len(other) - n])
    return (_turned(ways), *then[len(then) - n :])


def _turned(st: s.If) -> s.If:
    cond, then, other = positive(st.cond), st.then, st.other
    if not then and other:
        cond, then, other = positive(s.Unary("!", cond, cond.span)), other, ()
    if other and isinstance(cond, s.Unary) and cond.op == "!":
        cond, then, other = cond.a, other, then
    elif other and isinstance(cond, s.Binary) and cond.op in _TURNED:
        cond, then, other = positive(s.Unary("!", cond, cond.span)), other, then
    st = _joined(dataclasses.replace(st, cond=cond, then=then, other=other))
    return dataclasses.replace(st, cond=_left(st.cond))


def _joined(st: s.If) -> s.If:
    """A test of a test as one test of both."""
    inner = st.then[0] if len(st.then) == 1 and not st.other else None
    if not isinstance(inner, s.If) or inner.other:
        return st
    both = s.Binary("&&", st.cond, inner.cond, st.cond.span)
    return _joined(dataclasses.replace(st, cond=both, then=inner.then))


def positive(e: s.Expr) -> s.Expr:
    """``e``, a condition, with its negations at what it asks."""
    if isinstance(e, s.Unary) and e.op == "!":
        return _negated(e.a)
    if isinstance(e, s.Binary) and e.op in ("&&", "||"):
        return dataclasses.replace(e, a=positive(e.a), b=positive(e.b))
    some = _against_none(e)
    if some is not None:
        return positive(some) if isinstance(e, s.Binary) and e.op == "!=" else _negated(some)
    if isinstance(e, s.Ternary) and (_is_true(e.a), _is_none(e.b)) == (True, True):
        return positive(e.cond)
    if isinstance(e, s.Ternary) and (_is_none(e.a), _is_true(e.b)) == (True, True):
        return _negated(e.cond)
    return e


def _against_none(e: s.Expr) -> s.Expr | None:
    """What is compared with 0, NULL or false; None where ``e`` is no such comparison."""
    if not isinstance(e, s.Binary) or e.op not in ("==", "!="):
        return None
    for none, some in ((e.a, e.b), (e.b, e.a)):
        if _is_none(none):
            return some
    return None


def _is_none(e: s.Expr) -> bool:
    is_zero = isinstance(e, s.Num) and e.value == 0
    return is_zero or (isinstance(e, s.Name) and e.id in ("NULL", "false"))


def _negated(e: s.Expr) -> s.Expr:
    if isinstance(e, s.Unary) and e.op == "!":
        return positive(e.a)
    if isinstance(e, s.Binary) and e.op in ("&&", "||"):
        return s.Binary(_OTHER[e.op], _negated(e.a), _negated(e.b), e.span)
    some = _against_none(e)
    if some is not None:
        return positive(some) if isinstance(e, s.Binary) and e.op == "==" else _negated(some)
    if isinstance(e, s.Binary) and e.op in _OTHER:
        return dataclasses.replace(e, op=_OTHER[e.op])
    return s.Unary("!", e, e.span)


def _left(e: s.Expr) -> s.Expr:
    """A chain of one operator, bound from the left."""
    if isinstance(e, s.Binary) and e.op in ("&&", "||"):
        a, b = _left(e.a), _left(e.b)
        if isinstance(b, s.Binary) and b.op == e.op:
            return _left(s.Binary(e.op, s.Binary(e.op, a, b.a, e.span), b.b, e.span))
        return dataclasses.replace(e, a=a, b=b)
    return e


def _answered(body: tuple[s.Stmt, ...]) -> tuple[s.Stmt, ...]:
    """The end of a function that gives yes or no: what it asks is what it gives."""
    last = body[-1] if body else None
    if isinstance(last, s.ReturnStmt) and last.value is not None:
        return (*body[:-1], dataclasses.replace(last, value=positive(last.value)))
    if not isinstance(last, s.If):
        return body
    last = dataclasses.replace(last, then=_answered(last.then), other=_answered(last.other))
    says = [
        b[0].value.id
        for b in (last.then, last.other)
        if len(b) == 1 and isinstance(b[0], s.ReturnStmt) and isinstance(b[0].value, s.Name)
    ]
    if sorted(says) != ["false", "true"]:
        return (*body[:-1], last)
    cond = last.cond if says[0] == "true" else _negated(last.cond)
    return (*body[:-1], s.ReturnStmt(cond, last.span))


def _ended(body: tuple[s.Stmt, ...]) -> tuple[s.Stmt, ...]:
    """The end of a function that gives no value, without returns that say so."""
    if not body:
        return body
    last = body[-1]
    if isinstance(last, s.ReturnStmt) and last.value is None:
        return _ended(body[:-1])
    if isinstance(last, s.If):
        new = dataclasses.replace(last, then=_ended(last.then), other=_ended(last.other))
        return (*body[:-1], _turned(new)) if new.then or new.other else body
    return body

"""Statements in one form of those that do the same: a switch and tests in a row, a jump to the end
and what stands there, a choice between two values and a test.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

from .. import syntax as s
from ..guess import walk
from ..show import render_expr
from .jumps import once, turned_round, without_jumps

TAIL = 4  # statements behind a label that may stand in the place of each jump to it
Body = tuple[s.Stmt, ...]


def plain(d: s.Def) -> s.Def:
    """``d`` without switches, jumps to its end, and choices that can be tests."""
    body = _without_jumps(without_jumps(d.body), is_void=_is_void(d))
    return dataclasses.replace(d, body=_in_blocks(body, _rows))


def _is_void(d: s.Def) -> bool:
    return not any(isinstance(n, s.ReturnStmt) and n.value for n in walk(d.body))


def _in_blocks(body: Sequence[s.Stmt], each: Callable[[Body], Body]) -> Body:
    """``body`` with ``each`` done to every block in it, the inner ones first."""
    return each(tuple(inside(st, lambda b: _in_blocks(b, each)) for st in body))


def inside(st: s.Stmt, of: Callable[[Sequence[s.Stmt]], tuple[s.Stmt, ...]]) -> s.Stmt:
    """``st`` with ``of`` done to each block in it."""
    changes: dict[str, object] = {}
    for f in dataclasses.fields(st):
        v = getattr(st, f.name)
        if f.name == "cases":
            changes[f.name] = tuple((k, of(b)) for k, b in v)
        elif isinstance(v, tuple) and v and isinstance(v[0], s.Stmt):
            changes[f.name] = of(v)
    return dataclasses.replace(st, **changes) if changes else st  # type: ignore[arg-type]


def _without_jumps(body: Body, *, is_void: bool) -> Body:
    """What stands behind the last labels in the place of the jumps there."""
    for _ in range(TAIL):
        at = max((i for i, st in enumerate(body) if isinstance(st, s.LabelStmt)), default=-1)
        label = body[at] if at >= 0 else None
        if not isinstance(label, s.LabelStmt) or not (tail := _tail(body, at, is_void=is_void)):
            break
        rest = body[at + 1 :]
        body = _jumped((*body[:at], *rest), label.label, tail)
    return body


def _tail(body: Body, at: int, *, is_void: bool) -> Body:
    """What stands behind ``at`` to the end, where it is short and goes nowhere else; () if not."""
    tail = tuple(st for st in body[at + 1 :] if not isinstance(st, s.LabelStmt))
    if is_void and not (tail and isinstance(tail[-1], s.ReturnStmt)):
        tail = (*tail, s.ReturnStmt(None, body[at].span))
    leads_on = any(isinstance(n, s.LabelStmt | s.Goto) for n in walk(tail))
    if len(tail) > TAIL or leads_on or not tail or not isinstance(tail[-1], s.ReturnStmt):
        return ()
    return tail


def tails(d: s.Def) -> dict[str, Body]:
    """What stands behind each label of ``d`` that leads to the end, where it is short."""
    rows = [(i, st) for i, st in enumerate(d.body) if isinstance(st, s.LabelStmt)]
    found = {st.label: _tail(d.body, i, is_void=_is_void(d)) for i, st in rows}
    return {label: tail for label, tail in found.items() if tail}


def jumped(body: Body, tails: Mapping[str, Body]) -> Body:
    """``body`` with what stands behind a label in the place of each jump to one of ``tails``."""
    for label, tail in tails.items():
        body = _jumped(body, label, tail)
    return body


def _jumped(body: Body, label: str, tail: Body) -> Body:
    def each(block: Body) -> Body:
        out: list[s.Stmt] = []
        for st in block:
            out += tail if isinstance(st, s.Goto) and st.label == label else (st,)
        return tuple(out)

    return _in_blocks(body, each)


def _rows(block: Body) -> Body:
    out: list[s.Stmt] = []
    for st in (x for given in turned_round(block) for x in _as_tests(given)):
        last = out[-1] if out else None
        met = _else_of(last, st) if last is not None and isinstance(st, s.If) else None
        if met is not None:
            out[-1:] = met
        else:
            out.append(st)
    return tuple(out)


def _as_tests(st: s.Stmt) -> Iterator[s.Stmt]:
    """A switch, and a choice between two values, as a test; what does two things as two."""
    if isinstance(st, s.Switch):
        yield _tests(st) or st
    elif isinstance(st, s.While):
        yield once(st)
    elif isinstance(st, s.ReturnStmt) and st.value is not None:
        yield from _chosen(st.value, lambda v: s.ReturnStmt(v, st.span)) or (st,)
    elif isinstance(st, s.Declare) and isinstance(st.init, s.Ternary | s.PostInc | s.Invoke):
        name = s.Name(st.name, st.span)
        rows = list(_as_tests(s.ExprStmt(s.AssignE(name, "", st.init, st.span), st.span)))
        is_same = len(rows) == 1 and isinstance(rows[0], s.ExprStmt)
        yield from (st,) if is_same else (dataclasses.replace(st, init=None), *rows)
    elif isinstance(st, s.ExprStmt):
        yield from _done(st, st.expr)
    else:
        yield st


def _done(st: s.ExprStmt, e: s.Expr) -> Iterator[s.Stmt]:
    """What an expression does, one thing after the other."""
    if isinstance(e, s.PostInc) and _is_still(e.lhs):
        sum_ = s.Binary("+" if e.by > 0 else "-", e.lhs, s.Num(1, st.span), st.span)
        yield dataclasses.replace(st, expr=s.AssignE(e.lhs, "", sum_, st.span))
    elif isinstance(e, s.Invoke):
        pinned = {"get_cpu": "preempt_disable", "put_cpu": "preempt_enable"}.get(e.fn)
        if pinned and not e.args:
            yield dataclasses.replace(st, expr=s.Invoke(pinned, (), e.span))
        else:
            yield from _chosen(e, lambda v: dataclasses.replace(st, expr=v)) or (st,)
    elif isinstance(e, s.AssignE):
        yield from _set(st, e)
    else:
        yield st


def _set(st: s.ExprStmt, e: s.AssignE) -> Iterator[s.Stmt]:
    if e.op and _is_still(e.lhs):
        e = s.AssignE(e.lhs, "", s.Binary(e.op, e.lhs, e.rhs, e.span), e.span)
    is_plain = not e.op and _is_still(e.lhs)
    lhs, rhs = e.lhs, e.rhs
    if is_plain and isinstance(rhs, s.PostInc) and _is_apart(lhs, rhs.lhs):
        yield dataclasses.replace(st, expr=dataclasses.replace(e, rhs=rhs.lhs))
        yield from _done(st, rhs)
    elif is_plain and isinstance(rhs, s.AssignE) and _is_apart(lhs, rhs.lhs):
        yield from _set(st, rhs)
        yield dataclasses.replace(st, expr=dataclasses.replace(e, rhs=rhs.lhs))
    elif is_plain and isinstance(rhs, s.Invoke) and rhs.fn == "get_cpu" and not rhs.args:
        yield dataclasses.replace(st, expr=s.Invoke("preempt_disable", (), rhs.span))
        cpu = s.Invoke("smp_processor_id", (), rhs.span)
        yield dataclasses.replace(st, expr=dataclasses.replace(e, rhs=cpu))
    elif is_plain:
        new = _chosen(rhs, lambda v: s.ExprStmt(s.AssignE(lhs, "", v, st.span), st.span))
        yield from new or (dataclasses.replace(st, expr=e),)
    else:
        yield dataclasses.replace(st, expr=e)


def _chosen(e: s.Expr, put: Callable[[s.Expr], s.Stmt]) -> Body:
    """A choice between two values, or between two of what a call is given, as a test; () if none.

    C leaves open in which order arguments are worked out.
    """
    if isinstance(e, s.Ternary):
        return (s.If(e.cond, (put(e.a),), (put(e.b),), e.span),)
    if not isinstance(e, s.Invoke):
        return ()
    at = [i for i, a in enumerate(e.args) if isinstance(a, s.Ternary)]
    one = e.args[at[0]] if len(at) == 1 else None
    if not isinstance(one, s.Ternary):
        return ()
    ways = [
        put(dataclasses.replace(e, args=(*e.args[: at[0]], v, *e.args[at[0] + 1 :])))
        for v in (one.a, one.b)
    ]
    return (s.If(one.cond, (ways[0],), (ways[1],), e.span),)


def _is_apart(a: s.Expr, b: s.Expr) -> bool:
    """Whether ``a`` and ``b`` are two places, and neither is on the way to the other."""
    if not _is_still(a) or not _is_still(b):
        return False
    texts = [render_expr(x) for x in (a, b)]
    inner = [{render_expr(x) for x in walk(e) if isinstance(x, s.Expr)} for e in (a, b)]
    same_field = isinstance(a, s.Member) and isinstance(b, s.Member) and a.name == b.name
    return not same_field and texts[0] not in {texts[1], *inner[1]} and texts[1] not in inner[0]


def _is_still(e: s.Expr) -> bool:
    """Whether ``e`` is a local, or a field of what one points to."""
    return isinstance(e, s.Name) or (isinstance(e, s.Member) and _is_still(e.base))


def _else_of(first: s.Stmt, st: s.If) -> tuple[s.Stmt, ...] | None:
    """A constant that is set, and another value by a test behind it: what the test's else sets."""
    name, value = sets(first)
    then = st.then[0] if len(st.then) == 1 and not st.other else None
    if not name or not isinstance(then, s.ExprStmt) or sets(then)[0] != name:
        return None
    if not isinstance(value, s.Num | s.Name):
        return None
    kept = {name, value.id if isinstance(value, s.Name) else name}
    if any(isinstance(n, s.Name) and n.id in kept for n in (st.cond, *walk(st.cond))):
        return None
    given = sets(then)[1]
    if any(isinstance(n, s.Name) and n.id == name for n in (given, *walk(given))):
        return None
    lhs = s.Name(name, first.span)
    other = s.ExprStmt(s.AssignE(lhs, "", value, first.span), first.span)
    test = dataclasses.replace(st, other=(other,))
    return (
        (dataclasses.replace(first, init=None), test) if isinstance(first, s.Declare) else (test,)
    )


def sets(st: s.Stmt) -> tuple[str, s.Expr | None]:
    """The local that a statement sets, and to what."""
    if isinstance(st, s.Declare):
        return st.name, st.init
    e = st.expr if isinstance(st, s.ExprStmt) else None
    if isinstance(e, s.AssignE) and not e.op and isinstance(e.lhs, s.Name):
        return e.lhs.id, e.rhs
    return "", None


def _tests(st: s.Switch) -> s.Stmt | None:
    """A switch whose cases do not fall into each other, as tests in a row."""
    if not _is_still(st.value):
        return None
    values: tuple[s.Expr, ...] = ()
    rows: list[tuple[tuple[s.Expr, ...], Body]] = []
    is_default = False
    for i, (given, body) in enumerate(st.cases):
        values, is_default = (*values, *given), is_default or not given
        if not body and i + 1 < len(st.cases):
            continue
        last = body[-1] if body else None
        if not isinstance(last, s.BreakStmt | s.ReturnStmt | s.Goto) and i + 1 < len(st.cases):
            return None
        inner = body[:-1] if isinstance(last, s.BreakStmt) else body
        if any(_breaks(x) for x in inner):
            return None
        rows.append((() if is_default else values, inner))
        values, is_default = (), False
    other: Body = next((body for values, body in rows if not values), ())
    for values, body in reversed([r for r in rows if r[0]]):
        tests = [s.Binary("==", st.value, v, st.span) for v in values]
        cond: s.Expr = tests[0]
        for t in tests[1:]:
            cond = s.Binary("||", cond, t, st.span)
        other = (s.If(cond, body, other, st.span),)
    return s.Group(other, st.span)


def _breaks(st: s.Stmt) -> bool:
    """Whether a break in ``st`` leaves what is around it."""
    if isinstance(st, s.While | s.For | s.Switch):
        return False
    return isinstance(st, s.BreakStmt) or any(
        _breaks(x)
        for f in dataclasses.fields(st)
        if isinstance(v := getattr(st, f.name), tuple)
        for x in v
        if isinstance(x, s.Stmt)
    )

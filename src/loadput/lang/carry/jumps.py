"""Jumps forward as tests around what they jump over, and loops in one form of those that do the
same.

Nothing is said twice here: what stands behind a test that jumps goes into its other branch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from .. import syntax as s
from ..guess import walk
from ..show import render_stmt

Body = tuple[s.Stmt, ...]
Jump = Callable[[s.Stmt], bool]
LEAVES = s.ReturnStmt | s.Goto | s.BreakStmt | s.ContinueStmt


def leaves(body: Sequence[s.Stmt]) -> bool:
    """Whether ``body`` never goes on after itself."""
    last = body[-1] if body else None
    if isinstance(last, s.If):
        return leaves(last.then) and leaves(last.other)
    return isinstance(last, LEAVES)


def without_jumps(body: Body) -> Body:
    """``body``, the whole of a function, with each label gone that only jumps forward lead to."""
    for label in [st.label for st in body if isinstance(st, s.LabelStmt)]:
        at = next(
            i for i, st in enumerate(body) if isinstance(st, s.LabelStmt) and st.label == label
        )
        is_jump = _to(label)
        over = fallen(body[:at], is_jump)
        if over is not None and not any(map(is_jump, _all((*over, *body[at + 1 :])))):
            body = (*over, *body[at + 1 :])
    return body


def _to(label: str) -> Jump:
    return lambda st: isinstance(st, s.Goto) and st.label == label


def _all(body: Body) -> list[s.Stmt]:
    return [n for n in walk(body) if isinstance(n, s.Stmt)]


def fallen(body: Body, is_jump: Jump) -> Body | None:
    """``body`` without the jumps to right behind it; None where one stands in a loop or a switch.

    :param is_jump: whether a statement is one
    """
    body = tuple(flat(body))
    for i, st in enumerate(body):
        if is_jump(st):
            return body[:i] if not any(isinstance(n, s.LabelStmt) for n in body[i:]) else None
        if not any(map(is_jump, _all((st,)))):
            continue
        rest = body[i + 1 :]
        if not isinstance(st, s.If) or any(isinstance(n, s.LabelStmt) for n in rest):
            return None
        then, other = tuple(flat(st.then)), tuple(flat(st.other))
        if rest and leaves(then):
            other = (*other, *rest)
        elif rest and leaves(other):
            then = (*then, *rest)
        elif rest:
            return None
        a, b = fallen(then, is_jump), fallen(other, is_jump)
        if a is None or b is None:
            return None
        return (*body[:i], dataclasses.replace(st, then=a, other=b))
    return body


def flat(body: Sequence[s.Stmt]) -> list[s.Stmt]:
    """``body`` without the braces of blocks: they have no scope of their own."""
    out: list[s.Stmt] = []
    for st in body:
        out += flat(st.body) if isinstance(st, s.Group) else [st]
    return out


def once(st: s.While) -> s.Stmt:
    """What stands in a loop that goes round once, without the loop."""
    if st.test_first or not _is(st.cond, false=True):
        return st
    body = fallen(st.body, lambda x: isinstance(x, s.BreakStmt | s.ContinueStmt))
    return st if body is None else s.Group(body, st.span)


def tested_last(st: s.While) -> s.While:
    """A loop that a test at its end leaves, and nothing at its head, as one tested there."""
    last = st.body[-1] if len(st.body) > 1 else None
    if not st.test_first or not _is(st.cond) or not isinstance(last, s.If) or last.other:
        return st
    is_break = len(last.then) == 1 and isinstance(last.then[0], s.BreakStmt)
    if not is_break or any(map(_goes_on, st.body)):
        return st
    no = s.Unary("!", last.cond, last.span)
    return dataclasses.replace(st, cond=no, body=st.body[:-1], test_first=False)


def _goes_on(st: s.Stmt) -> bool:
    """Whether a ``continue`` in ``st`` is of the loop around it."""
    if isinstance(st, s.While | s.For):
        return False
    if isinstance(st, s.Switch):
        return any(_goes_on(x) for _, b in st.cases for x in b)
    inner = [getattr(st, f.name) for f in dataclasses.fields(st)]
    return isinstance(st, s.ContinueStmt) or any(
        _goes_on(x) for v in inner if isinstance(v, tuple) for x in v if isinstance(x, s.Stmt)
    )


def _is(e: s.Expr, *, false: bool = False) -> bool:
    """Whether ``e`` is always true, or always false."""
    if isinstance(e, s.Num):
        return (e.value == 0) == false
    return isinstance(e, s.Name) and e.id == ("false" if false else "true")


def turned_round(block: Body) -> Body:
    """``A; while (c) { B; A }`` as ``while (1) { A; if (!c) break; B }``."""
    out: list[s.Stmt] = []
    for st in block:
        n = _comes_again(out, st) if isinstance(st, s.While) else 0
        if not n or not isinstance(st, s.While):
            out.append(st)
            continue
        leave = s.If(s.Unary("!", st.cond, st.span), (s.BreakStmt(st.span),), (), st.span)
        again = (*out[-n:], leave, *st.body[: len(st.body) - n])
        out[-n:] = [dataclasses.replace(st, cond=s.Num(1, st.span), body=again)]
    return tuple(out)


def _comes_again(before: Sequence[s.Stmt], st: s.While) -> int:
    """How many statements right before a loop are what its body ends with."""
    if not st.test_first or _is(st.cond) or any(map(_goes_on, st.body)):
        return 0
    n = 0
    while n < min(len(before), len(st.body)) and alike(before[-1 - n], st.body[-1 - n]):
        n += 1
    return n


def alike(a: s.Stmt, b: s.Stmt) -> bool:
    """Whether two statements are the same text."""
    return type(a) is type(b) and render_stmt(a) == render_stmt(b)

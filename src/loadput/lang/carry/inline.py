"""Helpers read where they are called: what only moved into a function, or out of one, is the same.

A call becomes the callee's statements, its parameters what they were given; a callee that is one
expression becomes that expression. Where a callee returns in a way that this cannot show, the call
stays a call.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from ...ir.types import BOOL
from .. import syntax as s
from ..guess import walk
from .nodes import is_silent, local_names
from .terms import is_address, read_fields, rewrite, rewrite_stmt, written_fields

Find = Callable[[str], s.Def | None]
DEPTH = 3  # helpers of helpers
MOST = 60  # statements of a callee: what is larger is no helper, but at the caller's end


class _Stays(Exception):
    """The callee has no form that can stand in the place of its call."""


def expand(d: s.Def, find: Find) -> s.Def:
    """``d`` with the calls of the functions that ``find`` gives read where they are.

    :param find: the function of a name, or None where its calls stay calls
    """
    body = _Expander(d, find).block(d.body, DEPTH, tail=True)
    return d if body == d.body else dataclasses.replace(d, body=body)


class _Expander:
    def __init__(self, d: s.Def, find: Find) -> None:
        self.find = find
        self.taken = local_names(d)
        self.is_void = not any(isinstance(n, s.ReturnStmt) and n.value for n in walk(d.body))

    def block(self, body: Sequence[s.Stmt], depth: int, *, tail: bool) -> tuple[s.Stmt, ...]:
        """:param tail: nothing of the function comes after ``body``"""
        out: list[s.Stmt] = []
        for i, st in enumerate(body):
            out += self.stmt(st, depth, tail=tail and i == len(body) - 1)
        return tuple(out)

    def stmt(self, st: s.Stmt, depth: int, *, tail: bool) -> tuple[s.Stmt, ...]:
        call, target = _called(st)
        callee = self.find(call.fn) if call is not None and depth else None
        if call is not None and callee is not None:
            try:
                return self._in_place(st, call, target, callee, depth, tail=tail)
            except _Stays:
                pass
        if isinstance(st, s.If):
            return (
                dataclasses.replace(
                    st,
                    cond=self.expr(st.cond, depth),
                    then=self.block(st.then, depth, tail=tail),
                    other=self.block(st.other, depth, tail=tail),
                ),
            )
        if isinstance(st, s.While | s.For):
            body = self.block(st.body, depth, tail=False)
            return (dataclasses.replace(st, body=body),)
        if isinstance(st, s.Group | s.AtomicStmt):
            return (dataclasses.replace(st, body=self.block(st.body, depth, tail=tail)),)
        if isinstance(st, s.Switch):
            cases = tuple((v, self.block(b, depth, tail=False)) for v, b in st.cases)
            return (dataclasses.replace(st, value=self.expr(st.value, depth), cases=cases),)
        return (rewrite_stmt(st, lambda e: self._as_expr(e, depth)),)

    def expr(self, e: s.Expr, depth: int) -> s.Expr:
        return rewrite(e, lambda x: self._as_expr(x, depth))

    def _as_expr(self, e: s.Expr, depth: int) -> s.Expr | None:
        """A call of a function that does nothing but give the value of an expression."""
        callee = self.find(e.fn) if isinstance(e, s.Invoke) and depth else None
        if callee is None or not isinstance(e, s.Invoke) or len(e.args) != len(callee.params):
            return None
        value = _only_value(callee)
        if value is None:
            return None
        given = dict(zip([n for n, _ in callee.params], e.args, strict=True))
        if not all(is_address(a) or _uses(value, n) <= 1 for n, a in given.items()):
            return None
        got = rewrite(value, lambda x: given.get(x.id) if isinstance(x, s.Name) else None)
        return self.expr(got, depth - 1)

    def _in_place(
        self,
        st: s.Stmt,
        call: s.Invoke,
        target: s.Expr | None,
        callee: s.Def,
        depth: int,
        *,
        tail: bool,
    ) -> tuple[s.Stmt, ...]:
        leaves = isinstance(st, s.ReturnStmt)
        stays_last = tail and self.is_void and target is None and isinstance(st, s.ExprStmt)
        is_large = not leaves and not stays_last and _size(callee.body) > MOST
        if len(call.args) != len(callee.params) or is_large:
            raise _Stays
        result = _result(callee, call, target)
        head, body = self._with_args(callee, call, result, is_last=leaves or stays_last)
        if not leaves and not stays_last:
            body = _without_returns(body, target, st)
        if isinstance(st, s.Declare):
            head = [dataclasses.replace(st, init=None), *head]
        return (*head, *self.block(body, depth - 1, tail=stays_last))

    def _with_args(
        self, callee: s.Def, call: s.Invoke, result: Mapping[str, s.Expr], *, is_last: bool
    ) -> tuple[list[s.Stmt], tuple[s.Stmt, ...]]:
        """Locals for the arguments that need one, and the body in the caller's names.

        :param result: the callee's local that it returns, and where that goes
        :param is_last: the caller does nothing after it, so that its own locals may be set
        """
        written, fields = written_in(callee.body), written_fields(callee)
        names: dict[str, s.Expr] = dict(result)
        head: list[s.Stmt] = []
        own = local_names(callee)
        for (name, type_), a in zip(callee.params, call.args, strict=True):
            may_set = (
                is_last and _id(a) in self.taken and sum(_uses(x, _id(a)) for x in call.args) == 1
            )
            may_read = is_address(a) and not fields & read_fields(a, self.taken)
            if may_read and (name not in written or may_set):
                names[name] = a
            else:
                new = self._fresh(name)
                names[name] = s.Name(new, call.span)
                head.append(s.Declare(new, type_, a, call.span))
        for name in sorted(own - {n for n, _ in callee.params} - set(result)):
            new = self._fresh(name)
            if new != name:
                names[name] = s.Name(new, call.span)
        return head, _as_sets(
            rename(callee.body, names), {str(x) for x in map(_id, result.values())}
        )

    def _fresh(self, name: str) -> str:
        new, n = name, 2
        while new in self.taken:
            new, n = f"{name}__{n}", n + 1
        self.taken.add(new)
        return new


def _id(e: s.Expr) -> str:
    return e.id if isinstance(e, s.Name) else ""


def _result(callee: s.Def, call: s.Invoke, target: s.Expr | None) -> dict[str, s.Expr]:
    """The local that ``callee`` returns, whatever happens, as the caller's that it goes to."""
    values = [n.value for n in walk(callee.body) if isinstance(n, s.ReturnStmt)]
    names = {_id(v) if v is not None else "" for v in values}
    own = {n.name for n in walk(callee.body) if isinstance(n, s.Declare)}
    if not isinstance(target, s.Name) or len(names) != 1 or not names <= own:
        return {}
    if any(_uses(a, target.id) for a in call.args):
        return {}
    return {names.pop(): target}


def _as_sets(body: Sequence[s.Stmt], names: AbstractSet[str]) -> tuple[s.Stmt, ...]:
    """``body`` where what declares one of the caller's own locals sets it."""
    out: list[s.Stmt] = []
    for st in body:
        if isinstance(st, s.Declare) and st.name in names:
            if st.init is not None:
                lhs = s.Name(st.name, st.span)
                out.append(s.ExprStmt(s.AssignE(lhs, "", st.init, st.span), st.span))
            continue
        out.append(st)
    return tuple(out)


def rename(body: Sequence[s.Stmt], names: Mapping[str, s.Expr]) -> tuple[s.Stmt, ...]:
    """``body`` with its names exchanged, what it declares too."""

    def one(e: s.Expr) -> s.Expr | None:
        return names.get(e.id) if isinstance(e, s.Name) else None

    def label(name: str) -> str:
        new = names.get(name)
        return new.id if isinstance(new, s.Name) else name

    def declared(st: s.Stmt) -> s.Stmt:
        if isinstance(st, s.Declare):
            return dataclasses.replace(st, name=label(st.name))
        if isinstance(st, s.OpaqueStmt):
            return dataclasses.replace(st, writes=tuple(map(label, st.writes)))
        changes: dict[str, object] = {}
        for f in dataclasses.fields(st):
            v = getattr(st, f.name)
            if f.name == "cases":
                changes[f.name] = tuple((k, tuple(map(declared, b))) for k, b in v)
            elif isinstance(v, tuple) and v and isinstance(v[0], s.Stmt):
                changes[f.name] = tuple(map(declared, v))
        return dataclasses.replace(st, **changes) if changes else st  # type: ignore[arg-type]

    return tuple(declared(rewrite_stmt(st, one)) for st in body)


def calls_in(d: s.Def) -> list[str]:
    """The functions that ``d`` calls, once for each call."""
    return [n.fn for n in walk(d.body) if isinstance(n, s.Invoke)]


def _called(st: s.Stmt) -> tuple[s.Invoke | None, s.Expr | None]:
    """The call that a statement is, and where its result goes."""
    if isinstance(st, s.ReturnStmt) and isinstance(st.value, s.Invoke):
        return st.value, None
    if isinstance(st, s.Declare) and isinstance(st.init, s.Invoke):
        return st.init, s.Name(st.name, st.span)
    if isinstance(st, s.ExprStmt):
        e = st.expr
        if isinstance(e, s.Invoke):
            return e, None
        if isinstance(e, s.AssignE) and not e.op and isinstance(e.rhs, s.Invoke):
            return e.rhs, e.lhs
    return None, None


def _only_value(d: s.Def) -> s.Expr | None:
    """The expression whose value is all that ``d`` gives, tests that leave early among it."""
    body = [st for st in d.body if not (isinstance(st, s.ExprStmt) and is_silent(st.expr))]
    return _value_of(body, is_bool=d.ret == BOOL)


def _value_of(body: Sequence[s.Stmt], *, is_bool: bool) -> s.Expr | None:
    first = body[0] if body else None
    if isinstance(first, s.ReturnStmt):
        return first.value
    if not isinstance(first, s.If) or not is_bool:
        return None
    rest = [*first.other, *body[1:]]
    a, b = _value_of(first.then, is_bool=True), _value_of(rest, is_bool=True)
    if a is None or b is None:
        return None
    no = s.Unary("!", first.cond, first.span)
    for value, other, test in ((a, b, first.cond), (b, a, no)):
        if isinstance(value, s.Name) and value.id == "true":
            return s.Binary("||", test, other, first.span)
    for value, other, test in ((a, b, no), (b, a, first.cond)):
        if isinstance(value, s.Name) and value.id == "false":
            return s.Binary("&&", test, other, first.span)
    return None


def _uses(e: s.Expr, name: str) -> int:
    return sum(isinstance(x, s.Name) and x.id == name for x in (e, *walk(e)))


def _size(body: Sequence[s.Stmt]) -> int:
    return sum(isinstance(n, s.Stmt) for n in walk(tuple(body)))


def written_in(body: Sequence[s.Stmt]) -> AbstractSet[str]:
    """The names that ``body`` sets, or gives the address of."""
    out: set[str] = set()
    for n in walk(tuple(body)):
        if isinstance(n, s.AssignE | s.PostInc) and isinstance(n.lhs, s.Name):
            out.add(n.lhs.id)
        elif isinstance(n, s.Unary) and n.op == "&" and isinstance(n.a, s.Name):
            out.add(n.a.id)
        elif isinstance(n, s.OpaqueStmt):
            out |= set(n.writes)
    return out


def _returns(body: Sequence[s.Stmt]) -> bool:
    return any(isinstance(n, s.ReturnStmt) for n in walk(tuple(body)))


def _leaves(body: Sequence[s.Stmt]) -> bool:
    """Whether ``body`` never goes on after itself."""
    last = body[-1] if body else None
    if isinstance(last, s.If):
        return _leaves(last.then) and _leaves(last.other)
    return isinstance(last, s.ReturnStmt)


def _without_returns(
    body: Sequence[s.Stmt], target: s.Expr | None, at: s.Stmt
) -> tuple[s.Stmt, ...]:
    """``body`` that gives its value to ``target`` and goes on after itself.

    :raises _Stays: a loop or a jump returns
    """
    out: list[s.Stmt] = []
    for i, st in enumerate(body):
        rest = tuple(body[i + 1 :])
        if isinstance(st, s.ReturnStmt):
            if target is not None and st.value is not None and _id(target) == _id(st.value) != "":
                return tuple(out)
            if st.value is not None and target is not None:
                out.append(s.ExprStmt(s.AssignE(target, "", st.value, st.span), at.span))
            elif st.value is not None and any(isinstance(x, s.Invoke) for x in walk(st)):
                out.append(s.ExprStmt(st.value, st.span))
            return tuple(out)
        if isinstance(st, s.LabelStmt | s.Goto):
            raise _Stays
        if not _returns((st,)):
            out.append(st)
            continue
        if not isinstance(st, s.If):
            raise _Stays
        if _leaves(st.then):
            then = _without_returns(st.then, target, at)
            other = _without_returns((*st.other, *rest), target, at)
        elif _leaves(st.other):
            then = _without_returns((*st.then, *rest), target, at)
            other = _without_returns(st.other, target, at)
        else:
            raise _Stays
        if then:
            out.append(dataclasses.replace(st, then=then, other=other))
        elif other:
            cond = s.Unary("!", st.cond, st.span)
            out.append(dataclasses.replace(st, cond=cond, then=other, other=()))
        elif any(isinstance(x, s.Invoke | s.AssignE | s.PostInc) for x in walk(st)):
            out.append(s.ExprStmt(st.cond, st.span))
        return tuple(out)
    return tuple(out)

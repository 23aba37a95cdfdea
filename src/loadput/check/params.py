"""Parameters that one side of a patch has alone, and that say nothing: a signature became another.

A parameter that nobody reads says nothing, nor does one that every call gives as the same
expression of the others: ``sync(vcpu, vcpu->run)`` for a ``sync(vcpu)`` that looks there itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..lang.carry.inline import calls_in, rename, written_in
from ..lang.carry.terms import is_address, rewrite, rewrite_stmt, set_once
from ..lang.guess import walk
from ..lang.show import render_expr
from ..lang.syntax import Def, Expr, Invoke, Name

Find = Callable[[str], Def | None]


@dataclass(frozen=True, slots=True)
class Said:
    """A parameter that says nothing.

    :param at: the how-manieth it is
    :param value: what it always is, by the names of the others; None where nobody reads it
    """

    name: str
    at: int
    value: Expr | None


def said_elsewhere(
    names: Iterable[str], mine: Find, other: Find, callers: Callable[[str], Iterable[Def]]
) -> dict[str, list[Said]]:
    """Per function of ``names``, the parameters that one side has alone and that say nothing.

    :param mine: a function of that side
    :param other: the same function of the other side
    :param callers: what calls a function on that side
    """
    out: dict[str, list[Said]] = {}
    for n in names:
        a, b = mine(n), other(n)
        if a is None or b is None:
            continue
        extra = [p for p, _ in a.params if p not in {q for q, _ in b.params}]
        if extra and len(a.params) - len(extra) == len(b.params):
            calls = [(c, set_once(c)) for c in callers(n)]
            found = [_said(a, p, calls) for p in extra]
            out[n] = [x for x in found if x is not None]
    return {n: x for n, x in out.items() if x}


def _said(d: Def, param: str, callers: Sequence[tuple[Def, Mapping[str, Expr]]]) -> Said | None:
    at = [p for p, _ in d.params].index(param)
    read = any(isinstance(n, Name) and n.id == param for n in walk(d.body))
    found: dict[str, Expr] = {}
    for c, its in callers:
        for call in (n for n in walk(c.body) if isinstance(n, Invoke) and n.fn == d.name):
            e = _in_terms(call, at, d, its)
            if e is None or (read and not _speaks_of(e, d, param)):
                return None
            found[render_expr(e)] = e
    if not read:
        return Said(param, at, None)
    if param in written_in(d.body) or len(found) != 1:
        return None
    return Said(param, at, found.popitem()[1])


def _in_terms(call: Invoke, at: int, d: Def, its: Mapping[str, Expr]) -> Expr | None:
    """The argument ``at`` by what ``d`` calls the others; None where asking for it does something.

    :param its: what the caller's locals are
    """
    if len(call.args) != len(d.params) or not is_address(call.args[at]):
        return None

    def known(e: Expr) -> Expr | None:
        return its.get(e.id) if isinstance(e, Name) else None

    args = [rewrite(a, known) for a in call.args]
    names = {
        render_expr(a): p
        for i, (a, (p, _)) in enumerate(zip(args, d.params, strict=True))
        if i != at
    }

    def named(e: Expr) -> Expr | None:
        p = names.get(render_expr(e))
        return Name(p, e.span) if p is not None else None

    return rewrite(args[at], named)


def _speaks_of(e: Expr, d: Def, param: str) -> bool:
    """Whether ``e`` is made of the other parameters of ``d`` alone."""
    names = {n.id for n in (e, *walk(e)) if isinstance(n, Name)}
    return bool(names) and names <= {p for p, _ in d.params} - {param} and is_address(e)


def without(d: Def, said: Mapping[str, Sequence[Said]]) -> Def:
    """``d`` without such parameters of its own, and without what it gives others for theirs."""
    mine = {x.name: x.value for x in said.get(d.name, ())}
    if not mine and not any(n in said for n in calls_in(d)):
        return d

    def one(e: Expr) -> Expr | None:
        if not isinstance(e, Invoke) or e.fn not in said:
            return None
        gone = {x.at for x in said[e.fn]}
        args = tuple(rewrite(a, one) for i, a in enumerate(e.args) if i not in gone)
        return dataclasses.replace(e, args=args)

    body = rename(d.body, {p: e for p, e in mine.items() if e is not None})
    return dataclasses.replace(
        d,
        params=tuple(p for p in d.params if p[0] not in mine),
        body=tuple(rewrite_stmt(st, one) for st in body),
    )

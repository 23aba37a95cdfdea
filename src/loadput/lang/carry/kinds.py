"""Locals and results of another C type: what the same statements keep may be another value then.

All numbers are small here, and have no sign bit to lose; C's are not. What is only ever 0, 1 or
counted up from there is the same in each type, and whether it is 0 is all that a test asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...ir.types import BOOL, VOID, Type
from .. import syntax as s
from ..guess import BOOLS, COMPARE, TRUTH, walk
from .nodes import Node

SMALL = 127  # what every type of C holds
_BITS = {"char": 8, "short": 16, "int": 32, "long": 64}
_FIXED = re.compile(r"_*([us])(?:int)?(8|16|32|64)(?:_t)?|_*(u?)int(8|16|32|64)_t")
_NAMED = {"size_t": "u64", "ssize_t": "s64", "loff_t": "s64", "uint": "u32", "ulong": "u64"}
Gives = Callable[[str], Type | None]


@dataclass(frozen=True, slots=True)
class Retyped:
    """A local, a parameter or a result that has another type of C now."""

    before: s.Stmt | None
    after: s.Stmt | None
    name: str
    was: str
    now: str

    @property
    def why(self) -> str:
        """As a sentence without its stop."""
        return f"{self.name} is of type {self.now} now, and was {self.was}"

    def nodes(self) -> tuple[Node, Node]:
        """What it was and what it is, as leaves of a tree."""
        return (
            Node("leaf", self.before, {}, f"{self.was} {self.name}"),
            Node("leaf", self.after, {}, f"{self.now} {self.name}"),
        )


def retyped(before: s.Def, after: s.Def, gives: Gives) -> list[Retyped]:
    """What has a type in ``after`` that need not hold what the one in ``before`` did.

    :param before: with its locals named as in ``after``
    :param gives: what type a function of the program gives; None where it is not known
    """
    out = []
    was, now = ({n.name: n for n in _declared(d) if n.kind} for d in (before, after))
    for name, new in now.items():
        old = was.get(name)
        if old is None or _holds(new.kind, old.kind):
            continue
        about = _About(name, (before, after), gives)
        if not about.same(of_bool="bool" in (_plain(old.kind), _plain(new.kind))):
            out.append(Retyped(old, new, name, old.kind, new.kind))
    given = (
        [("what it gives", before.ret, after.ret)] if VOID not in (before.ret, after.ret) else []
    )
    for name, a, b in given:
        if (a == BOOL) != (b == BOOL) and not all(
            _About("", (d,), gives).is_small(v, 1) for d in (before, after) for v in _returned(d)
        ):
            words = ["bool" if t == BOOL else "int" for t in (a, b)]
            first = [next(iter(d.body), None) for d in (before, after)]
            out.append(Retyped(first[0], first[1], name, words[0], words[1]))
    return out


def _declared(d: s.Def) -> Iterator[s.Declare]:
    return (n for n in walk(d.body) if isinstance(n, s.Declare))


def _returned(d: s.Def) -> list[s.Expr]:
    return [n.value for n in walk(d.body) if isinstance(n, s.ReturnStmt) and n.value is not None]


def _plain(kind: str) -> str:
    return "bool" if kind in ("bool", "_Bool") else kind


def _width(kind: str) -> tuple[bool, int] | None:
    """Whether a type has a sign, and its bits; None where its name does not say so."""
    met = _FIXED.fullmatch(_NAMED.get(kind, kind))
    if met is not None:
        return "u" not in (met[1], met[3]), int(met[2] or met[4])
    words = kind.split()
    if not set(words) <= {*_BITS, "signed", "unsigned"}:
        return None
    bits = next((_BITS[w] for w in ("char", "short", "long") if w in words), 32)
    return "unsigned" not in words, bits


def _holds(now: str, was: str) -> bool:
    """Whether the type ``now`` has every value of the type ``was``, or nobody knows."""
    if _plain(now) == _plain(was):
        return True
    if "bool" in (_plain(now), _plain(was)):
        return _plain(was) == "bool"
    a, b = _width(now), _width(was)
    if a is None or b is None:
        return True
    return (a[0] == b[0] and a[1] >= b[1]) or (a[0] and a[1] > b[1])


class _About:
    """One local of both sides: what it is set to, and what asks for it."""

    def __init__(self, name: str, defs: tuple[s.Def, ...], gives: Gives) -> None:
        self.name, self.defs, self.gives = name, defs, gives

    def same(self, *, of_bool: bool) -> bool:
        """Whether no value of it is another in any type.

        :param of_bool: one of the types is bool: there 2 is 1, and it cannot be counted up
        """
        if of_bool and all(self._only_asked(d) for d in self.defs):
            return True
        return all(self._all_small(d, 1 if of_bool else SMALL) for d in self.defs)

    def _only_asked(self, d: s.Def) -> bool:
        """Whether ``d`` only asks whether it is 0."""
        reads = sum(isinstance(n, s.Name) and n.id == self.name for n in walk(d.body))
        sets = sum(
            isinstance(n, s.AssignE) and isinstance(n.lhs, s.Name) and n.lhs.id == self.name
            for n in walk(d.body)
        )
        tests = [n.cond for n in walk(d.body) if isinstance(n, s.If | s.While | s.Ternary)]
        return sum(map(self._asked, tests)) == reads - sets

    def _asked(self, e: s.Expr) -> int:
        if isinstance(e, s.Name):
            return e.id == self.name
        if isinstance(e, s.Unary) and e.op == "!":
            return self._asked(e.a)
        if isinstance(e, s.Binary) and e.op in ("&&", "||"):
            return self._asked(e.a) + self._asked(e.b)
        is_hint = isinstance(e, s.Invoke) and e.fn in ("likely", "unlikely")
        return self._asked(e.args[0]) if is_hint and isinstance(e, s.Invoke) else 0

    def _all_small(self, d: s.Def, most: int) -> bool:
        return all(self._keeps_small(n, most) for n in walk(d.body))

    def _keeps_small(self, n: s.Expr | s.Stmt, most: int) -> bool:
        if isinstance(n, s.Declare) and n.name == self.name:
            return n.init is None or self.is_small(n.init, most)
        if isinstance(n, s.AssignE) and _is(n.lhs, self.name):
            return (not n.op or (n.op == "+" and most > 1)) and self.is_small(n.rhs, most)
        if isinstance(n, s.PostInc) and _is(n.lhs, self.name):
            return n.by > 0 and most > 1
        if isinstance(n, s.Unary) and n.op == "&":
            return not _is(n.a, self.name)
        return not isinstance(n, s.OpaqueStmt) or self.name not in n.writes

    def is_small(self, e: s.Expr, most: int) -> bool:
        """Whether ``e`` is a number from 0 to ``most``, whatever happens."""
        if isinstance(e, s.Num):
            return 0 <= e.value <= most
        if isinstance(e, s.Name):
            return e.id in TRUTH
        if isinstance(e, s.Unary):
            return e.op == "!"
        if isinstance(e, s.Binary):
            return e.op in COMPARE
        if isinstance(e, s.Ternary):
            return self.is_small(e.a, most) and self.is_small(e.b, most)
        return isinstance(e, s.Invoke) and (e.fn in BOOLS or self.gives(e.fn) == BOOL)


def _is(e: s.Expr, name: str) -> bool:
    return isinstance(e, s.Name) and e.id == name

"""The kernel's names in the model's terms: a table beside the specification, and what it does to C.

``[means]`` has C on the left and what it is here on the right, ``$x`` being any expression;
``[fixed]`` has a test that is always the same in the model, with its value and the reason;
``[same]`` has another name of a function.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field

from ...base.errors import LinkError
from ...base.source import Span
from .. import syntax as s
from ..cfront.unit import parse_c
from ..guess import walk
from .terms import calling, is_address, rewrite, rewrite_stmt, straight

HOLE = "any__"


@dataclass(frozen=True, slots=True)
class Rule:
    """``c`` is ``ours``; ``why`` says so of a value that is fixed."""

    c: s.Expr
    ours: s.Expr
    text: str
    why: str = ""


@dataclass(slots=True)
class Bindings:
    """The rules of an architecture: by what they begin with; a later table's come first."""

    rules: dict[str, list[Rule]] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)

    def read(self, text: str, file: str) -> None:
        """Add the rules of one table."""
        table = tomllib.loads(text)
        for c, ours in table.get("means", {}).items():
            self._add(Rule(_expr(c, file), _expr(ours, file), c))
        self.same.update(table.get("same", {}))
        for c, (value, why) in table.get("fixed", {}).items():
            self._add(Rule(_expr(c, file), _expr(value, file), c, why))

    def _add(self, rule: Rule) -> None:
        self.rules.setdefault(_head(rule.c), []).insert(0, rule)

    def speaks_of(self, fn: str) -> bool:
        """Whether a rule says what a call of ``fn`` is."""
        return fn in self.same or f"{fn}()" in self.rules

    def named(self, d: s.Def) -> s.Def:
        """``d`` with one name for each function that has several."""
        return calling(d, self.same)

    def settled(self, d: s.Def) -> s.Def:
        """``d`` in C's terms, but for what is fixed, and for what only says where something is.

        Two C functions that are the same like this are the same, however much the specification
        has as one: another register in the place of one is still another.
        """

        def one(e: s.Expr) -> s.Expr | None:
            for rule in self.rules.get(_head(e), ()):
                found: dict[str, s.Expr] = {}
                if not _matches(rule.c, e, found):
                    continue
                view = isinstance(rule.c, s.Invoke) and is_address(rule.ours) and _says_all(rule)
                if not rule.why and not view:
                    return None
                inner = {n: rewrite(x, one) for n, x in found.items()}
                got = _fill(rule.ours, inner, e.span)
                return s.Foreign(got, e.span) if rule.why else got
            return None

        return dataclasses.replace(d, body=_fold_all(rewrite_stmt(st, one) for st in d.body))

    def value_of(self, test: s.Expr) -> tuple[bool | None, Rule | None]:
        """What ``test`` always is here, and the first rule that says so; None where it is open."""
        used: list[Rule] = []

        def one(e: s.Expr) -> s.Expr | None:
            for rule in self.rules.get(_head(e), ()):
                if _matches(rule.c, e, {}):
                    if not rule.why:
                        return None
                    used.append(rule)
                    return s.Foreign(rule.ours, e.span)
            return None

        value = _known(rewrite(test, one))
        return value, used[0] if used else None

    def lay(self, d: s.Def) -> tuple[s.Def, list[Rule]]:
        """``d`` in the model's terms, and the rules that it took."""
        used: dict[str, Rule] = {}

        def one(e: s.Expr) -> s.Expr | None:
            for rule in self.rules.get(_head(e), ()):
                found: dict[str, s.Expr] = {}
                if _matches(rule.c, e, found):
                    used.setdefault(rule.text, rule)
                    inner = {n: rewrite(x, one) for n, x in found.items()}
                    return s.Foreign(_fill(rule.ours, inner, e.span), e.span)
            return None

        body = tuple(rewrite_stmt(st, one) for st in d.body)
        if not used:
            return d, []
        return dataclasses.replace(d, body=_fold_all(body)), list(used.values())


def _expr(text: str, file: str) -> s.Expr:
    """C's expression ``text``, with ``$x`` as names that match anything."""
    plain = text.replace("$", HOLE)
    defs = parse_c(f"void f(void)\n{{\n{plain};\n}}\n", file, "bindings")
    if len(defs) == 1 and len(defs[0].body) == 1 and isinstance(defs[0].body[0], s.ExprStmt):
        return defs[0].body[0].expr
    raise LinkError("LP0401", f"{file}: '{text}' is no expression of C")


def _says_all(rule: Rule) -> bool:
    """Whether nothing that it matches is lost."""
    holes = [{x.id for x in walk(e) if isinstance(x, s.Name)} for e in (rule.c, rule.ours)]
    return {n for n in holes[0] if n.startswith(HOLE)} <= holes[1]


def _head(e: s.Expr) -> str:
    """What an expression begins with: the table's key."""
    if isinstance(e, s.Invoke):
        return f"{e.fn}()"
    if isinstance(e, s.Member):
        return f".{e.name}"
    return e.id if isinstance(e, s.Name) else type(e).__name__


def _matches(want: s.Expr, e: s.Expr, found: dict[str, s.Expr]) -> bool:
    if isinstance(want, s.Name) and want.id.startswith(HOLE):
        return found.setdefault(want.id, e) is e
    if type(want) is not type(e):
        return False
    for f in dataclasses.fields(want):
        a, b = getattr(want, f.name), getattr(e, f.name)
        if f.name in ("span", "arrow"):
            continue
        if isinstance(a, s.Expr):
            if not _matches(a, b, found):
                return False
        elif isinstance(a, tuple):
            if len(a) != len(b) or not all(map(lambda x, y: _matches(x, y, found), a, b)):
                return False
        elif a != b:
            return False
    return True


def _fill(ours: s.Expr, found: dict[str, s.Expr], span: Span) -> s.Expr:
    def one(e: s.Expr) -> s.Expr | None:
        if isinstance(e, s.Name) and e.id in found:
            return found[e.id]
        return None

    return _at(rewrite(rewrite(ours, one), straight), span, found)


def _at(e: s.Expr, span: Span, found: dict[str, s.Expr]) -> s.Expr:
    """``e`` with the place of the C that it stands for."""
    kept = {id(x) for x in found.values()}

    def one(x: s.Expr) -> s.Expr | None:
        if id(x) in kept:
            return x
        changes: dict[str, object] = {"span": span}
        for f in dataclasses.fields(x):
            v = getattr(x, f.name)
            if isinstance(v, s.Expr):
                changes[f.name] = one(v)
            elif isinstance(v, tuple) and v and isinstance(v[0], s.Expr):
                changes[f.name] = tuple(one(y) for y in v)
        return dataclasses.replace(x, **changes)  # type: ignore[arg-type]

    got = one(e)
    assert got is not None
    return got


# what follows from a value that is fixed


def _known(e: s.Expr) -> bool | None:
    """The truth of ``e`` where the table fixed it."""
    if isinstance(e, s.Foreign) and isinstance(e.inner, s.Name | s.Num):
        text = e.inner.id if isinstance(e.inner, s.Name) else str(e.inner.value)
        return {"true": True, "1": True, "false": False, "0": False}.get(text)
    if isinstance(e, s.Invoke) and e.fn in ("likely", "unlikely") and e.args:
        return _known(e.args[0])
    if isinstance(e, s.Unary) and e.op == "!":
        got = _known(e.a)
        return None if got is None else not got
    if isinstance(e, s.Binary) and e.op in ("&&", "||"):
        a, b = _known(e.a), _known(e.b)
        short = e.op == "||"
        if short in (a, b):
            return short
        return None if None in (a, b) else not short
    return None


def _fold(e: s.Expr) -> s.Expr:
    """``e`` without the operands of ``&&`` and ``||`` that are fixed."""

    def one(x: s.Expr) -> s.Expr | None:
        if isinstance(x, s.Binary) and x.op in ("&&", "||"):
            if _known(x.a) is (x.op == "&&"):
                return _fold(x.b)
            if _known(x.b) is (x.op == "&&"):
                return _fold(x.a)
        if isinstance(x, s.Ternary) and _known(x.cond) is not None:
            return _fold(x.a if _known(x.cond) else x.b)
        return None

    return rewrite(e, one)


def _fold_all(body: Iterable[s.Stmt]) -> tuple[s.Stmt, ...]:
    out: list[s.Stmt] = []
    for st in body:
        if isinstance(st, s.If):
            known = _known(st.cond)
            then, other = _fold_all(st.then), _fold_all(st.other)
            if known is None:
                out.append(dataclasses.replace(st, cond=_fold(st.cond), then=then, other=other))
            else:
                out += then if known else other
        elif isinstance(st, s.While | s.For | s.Group):
            out.append(dataclasses.replace(st, body=_fold_all(st.body)))
        elif isinstance(st, s.Switch):
            cases = tuple((v, _fold_all(b)) for v, b in st.cases)
            out.append(dataclasses.replace(st, cases=cases))
        elif isinstance(st, s.ExprStmt):
            out.append(s.ExprStmt(_fold(st.expr), st.span))
        elif isinstance(st, s.Declare | s.ReturnStmt):
            out.append(rewrite_stmt(st, _fold))
        else:
            out.append(st)
    return tuple(out)

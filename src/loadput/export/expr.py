"""Expressions over the state in which a step begins, each distinct one made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..base.errors import LoadputError
from ..ir.eval import binary, unary

COMPARE = ("eq", "ne", "lt", "le", "gt", "ge")
NEGATED = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}
Range = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class E:
    """One expression with the values it can have, ``lo..hi``.

    ``op`` is ``const``, ``cpu`` (the CPU that steps), ``read`` (variable ``name`` at ``args[0]``),
    ``ite``, ``all`` and ``any`` (left to right, no further than needed), ``name`` (a condition or
    a temporary that the model defines), or an operator of the IR. Equal expressions are the same
    object.
    """

    op: str
    name: str
    value: int
    args: tuple[E, ...]
    lo: int
    hi: int
    number: int

    @property
    def is_bool(self) -> bool:
        return self.lo >= 0 and self.hi <= 1


Facts = Mapping[E, Range]


class Exprs:
    """Makes expressions: folds constants, and whatever has one value only."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], E] = {}
        self.zero, self.one = self.const(0), self.const(1)

    def _make(self, op: str, name: str, value: int, args: tuple[E, ...], at: Range) -> E:
        if op != "const" and at[0] == at[1]:
            return self.const(at[0])
        key = (op, name, value, tuple(a.number for a in args))
        if key not in self._known:
            self._known[key] = E(op, name, value, args, *at, len(self._known))
        return self._known[key]

    def const(self, value: int) -> E:
        """A number."""
        return self._make("const", "", value, (), (value, value))

    def cpu(self, count: int) -> E:
        """The CPU that steps."""
        return self._make("cpu", "", 0, (), (0, count - 1))

    def read(self, name: str, index: E, at: Range) -> E:
        """Element ``index`` of variable ``name``, whose values are in ``at``."""
        return self._make("read", name, 0, (index,), at)

    def named(self, name: str, at: Range) -> E:
        """What the model defines under ``name``."""
        return self._make("name", name, 0, (), at)

    def all(self, *parts: E) -> E:
        """True where every part is; a part is looked at only where those before it are true."""
        return self._chain("all", parts, stop=0)

    def any(self, *parts: E) -> E:
        """True where some part is; a part is looked at only where those before it are false."""
        return self._chain("any", parts, stop=1)

    def _chain(self, op: str, parts: tuple[E, ...], stop: int) -> E:
        out: list[E] = []
        for p in parts:
            for q in p.args if p.op == op else (p,):
                if q.op == "const":
                    if bool(q.value) == bool(stop):
                        out.append(self.const(stop))
                        return out[0] if len(out) == 1 else self._joined(op, out)
                elif q not in out:
                    out.append(q)
        return self._joined(op, out) if out else self.const(1 - stop)

    def _joined(self, op: str, parts: list[E]) -> E:
        if parts[-1].op == "const":
            return parts[-1]
        return parts[0] if len(parts) == 1 else self._make(op, "", 0, tuple(parts), (0, 1))

    def un(self, op: str, a: E) -> E:
        """A unary operator of the IR."""
        if a.op == "const":
            return self.const(unary(op, a.value))
        if op == "not":
            if a.op in COMPARE:
                return self.bin(NEGATED[a.op], *a.args)
            return self.bin("eq", a, self.zero)
        return self._make(op, "", 0, (a,), _range_un(op, (a.lo, a.hi)))

    def bin(self, op: str, a: E, b: E) -> E:
        """A binary operator of the IR."""
        if a.op == "const" and b.op == "const":
            return self.const(binary(op, a.value, b.value))
        if op in ("gt", "ge"):
            return self.bin("lt" if op == "gt" else "le", b, a)
        if op in ("eq", "ne"):
            return self._equal(op, a, b)
        if op in ("add", "sub") and b.op == "const":
            return self._plus(a, b.value if op == "add" else -b.value)
        if op == "add" and a.op == "const":
            return self._plus(b, a.value)
        if op == "and" and a.is_bool and b is self.one:
            return a
        if op == "and" and b.is_bool and a is self.one:
            return b
        if op in ("div", "mod") and b.lo <= 0 <= b.hi:
            # Division by zero gives 0: only the arm that is taken is looked at.
            return self.ite(self.bin("eq", b, self.zero), self.zero, self._divide(op, a, b))
        if op in ("div", "mod"):
            return self._divide(op, a, b)
        return self._make(op, "", 0, (a, b), _range_bin(op, (a.lo, a.hi), (b.lo, b.hi)))

    def _divide(self, op: str, a: E, b: E) -> E:
        if min(a.lo, b.lo) < 0:
            raise LoadputError("LP0801", f"cannot export '{op}' of a value that may be negative")
        return self._make(op, "", 0, (a, b), _range_bin(op, (a.lo, a.hi), (b.lo, b.hi)))

    def ite(self, c: E, a: E, b: E) -> E:
        """``a`` where ``c`` is true, else ``b``."""
        if c.op == "const":
            return a if c.value else b
        if a is b:
            return a
        if a is self.one and b is self.zero and c.is_bool:
            return c
        if b.op == "ite" and b.args[0] is c:
            b = b.args[2]
        return self._make("ite", "", 0, (c, a, b), (min(a.lo, b.lo), max(a.hi, b.hi)))

    def _plus(self, a: E, k: int) -> E:
        if a.op == "add" and a.args[1].op == "const":
            a, k = a.args[0], k + a.args[1].value
        return a if k == 0 else self._make("add", "", 0, (a, self.const(k)), (a.lo + k, a.hi + k))

    def _equal(self, op: str, a: E, b: E) -> E:
        if a is b:
            return self.const(int(op == "eq"))
        if a.hi < b.lo or b.hi < a.lo:
            return self.const(int(op == "ne"))
        apart = _apart(a, b)
        if apart is not None:
            return self.const(int((apart == 0) == (op == "eq")))
        if a.op == "const":
            a, b = b, a
        if b.op == "const" and a.op == "add" and a.args[1].op == "const":
            return self._equal(op, a.args[0], self.const(b.value - a.args[1].value))
        if b.op == "const" and a.is_bool:
            if (op == "ne") == (b.value == 0):
                return a
            if a.op in COMPARE:
                return self.bin(NEGATED[a.op], *a.args)
            op, b = "eq", self.zero
        if b.op == "const" and a.op == "ite" and a.args[1].op == a.args[2].op == "const":
            # Only where it gets shorter: both arms are numbers.
            c, x, y = a.args
            return self.ite(c, self._equal(op, x, b), self._equal(op, y, b))
        if b.op != "const" and a.number > b.number:
            a, b = b, a
        return self._make(op, "", 0, (a, b), (0, 1))

    # what is known on a path

    def range_of(self, e: E, facts: Facts) -> Range:
        """The values of ``e`` where ``facts`` hold."""
        lo, hi = facts.get(e, (e.lo, e.hi))
        if e.op in ("const", "cpu", "read", "name", "all", "any") or lo == hi:
            return lo, hi
        args = [self.range_of(a, facts) for a in e.args]
        if e.op == "ite":
            if args[0] == (0, 0):
                at = args[2]
            elif args[0][0] > 0:
                at = args[1]
            else:
                at = min(args[1][0], args[2][0]), max(args[1][1], args[2][1])
        elif len(args) == 1:
            at = _range_un(e.op, args[0])
        else:
            at = _range_bin(e.op, *args)
        return max(lo, at[0]), min(hi, at[1])

    def decide(self, c: E, facts: Facts) -> bool | None:
        """Whether ``c`` is true where ``facts`` hold; None where they do not say."""
        lo, hi = self.range_of(c, facts)
        if lo > 0 or hi < 0:
            return True
        return False if (lo, hi) == (0, 0) else None

    def learn(self, c: E, truth: bool, facts: Facts) -> dict[E, Range]:
        """``facts`` and that ``c`` is true, or that it is false."""
        out = dict(facts)
        lo, hi = self.range_of(c, facts)
        if not truth:
            out[c] = (0, 0)
        elif lo == 0:
            out[c] = (1, hi)
        if c.op in COMPARE and c.args[1].op == "const":
            op = c.op if truth else NEGATED[c.op]
            out[c.args[0]] = _narrow(op, self.range_of(c.args[0], facts), c.args[1].value)
        elif c.op in COMPARE and c.args[0].op == "const":
            op = {"lt": "gt", "le": "ge"}.get(c.op, c.op)
            op = op if truth else NEGATED[op]
            out[c.args[1]] = _narrow(op, self.range_of(c.args[1], facts), c.args[0].value)
        return out

    def simplify(self, e: E, facts: Facts) -> E:
        """``e`` with what ``facts`` decide left out."""
        lo, hi = self.range_of(e, facts)
        if lo == hi:
            return self.const(lo)
        if e.op in ("const", "cpu", "name", "all", "any"):
            return e
        if e.op == "ite":
            c = self.simplify(e.args[0], facts)
            yes = self.simplify(e.args[1], self.learn(e.args[0], True, facts))
            no = self.simplify(e.args[2], self.learn(e.args[0], False, facts))
            return self.ite(c, yes, no)
        args = [self.simplify(a, facts) for a in e.args]
        if e.op == "read":
            return self.read(e.name, args[0], (e.lo, e.hi))
        return self.un(e.op, *args) if len(args) == 1 else self.bin(e.op, *args)


def reads_of(e: E) -> set[str]:
    """The variables that ``e`` reads."""
    out = {e.name} if e.op == "read" else set()
    return out.union(*(reads_of(a) for a in e.args))


def _apart(a: E, b: E) -> int | None:
    """How far ``a`` is from ``b`` where both are one expression plus a number, else None."""
    x, i = (a.args[0], a.args[1].value) if _is_sum(a) else (a, 0)
    y, k = (b.args[0], b.args[1].value) if _is_sum(b) else (b, 0)
    return i - k if x is y else None


def _is_sum(e: E) -> bool:
    return e.op == "add" and e.args[1].op == "const"


def _narrow(op: str, at: Range, k: int) -> Range:
    lo, hi = at
    if op == "eq":
        return k, k
    if op == "ne":
        return (lo + (lo == k), hi - (hi == k))
    if op == "lt":
        return lo, min(hi, k - 1)
    if op == "le":
        return lo, min(hi, k)
    return (max(lo, k + 1), hi) if op == "gt" else (max(lo, k), hi)


def _range_un(op: str, a: Range) -> Range:
    if op == "not":
        return 0, 1
    return (-a[1], -a[0]) if op == "neg" else (~a[1], ~a[0])


def _range_bin(op: str, a: Range, b: Range) -> Range:
    if op in COMPARE:
        return _range_compare(op, a, b)
    if op == "add":
        return a[0] + b[0], a[1] + b[1]
    if op == "sub":
        return a[0] - b[1], a[1] - b[0]
    if op in ("mul", "shl"):
        ends = [binary(op, x, y) for x in a for y in b]
        return min(0, *ends), max(0, *ends)
    if min(a[0], b[0]) >= 0:
        if op == "and":
            return 0, min(a[1], b[1])
        if op in ("or", "xor"):
            return 0, (1 << max(a[1], b[1]).bit_length()) - 1
        if op in ("div", "shr"):
            return 0, a[1]
        if op == "mod":
            return 0, min(a[1], max(0, b[1] - 1))
    most = 2 * max(abs(x) for x in (*a, *b, 1))
    return -most, most


def _range_compare(op: str, a: Range, b: Range) -> Range:
    yes = {
        "eq": a[0] == a[1] == b[0] == b[1],
        "ne": a[1] < b[0] or b[1] < a[0],
        "lt": a[1] < b[0],
        "le": a[1] <= b[0],
    }
    no = {
        "eq": a[1] < b[0] or b[1] < a[0],
        "ne": a[0] == a[1] == b[0] == b[1],
        "lt": a[0] >= b[1],
        "le": a[0] > b[1],
    }
    return (1, 1) if yes[op] else (0, 0) if no[op] else (0, 1)

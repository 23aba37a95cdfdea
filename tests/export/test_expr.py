"""Expressions mean what the operators of the IR mean, however much was folded or left out."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from loadput.export.expr import E, Exprs
from loadput.ir.eval import binary, unary

RANGES = {"p": (0, 1), "q": (0, 3), "r": (-2, 2)}
STATES = [dict(zip("pqr", v, strict=True)) for v in product((0, 1), range(4), range(-2, 3))]
COMPARE = ["eq", "ne", "lt", "le", "gt", "ge"]
BINARY = ["add", "sub", "mul", "and", "or", "xor", *COMPARE]
Plan = tuple[object, ...]


def plans() -> st.SearchStrategy[Plan]:
    """Expressions, as what to make."""
    leaf = st.one_of(
        st.sampled_from("pqr").map(lambda n: ("read", n)),
        st.integers(-2, 3).map(lambda k: ("const", k)),
    )
    return st.recursive(
        leaf,
        lambda sub: st.one_of(
            st.tuples(st.sampled_from(["not", "neg", "inv"]), sub),
            st.tuples(st.sampled_from(BINARY), sub, sub),
            st.tuples(st.just("ite"), sub, sub, sub),
        ),
        max_leaves=4,
    )


def conditions() -> st.SearchStrategy[Plan]:
    """Comparisons, also negated, also of sums."""
    compare = st.tuples(st.sampled_from(COMPARE), plans(), plans())
    return st.one_of(compare, st.tuples(st.just("not"), compare), plans())


def make(x: Exprs, plan: Plan) -> E:
    """The expression of ``plan``."""
    op, *args = plan
    if op == "read":
        return x.read(str(args[0]), x.zero, RANGES[str(args[0])])
    if op == "const":
        return x.const(int(str(args[0])))
    subs = [make(x, a) for a in args]  # type: ignore[arg-type]
    if op == "ite":
        return x.ite(*subs)
    return x.un(str(op), *subs) if len(subs) == 1 else x.bin(str(op), *subs)


def expected(plan: Plan, s: dict[str, int]) -> int:
    """The value of ``plan`` in ``s``, by the definition."""
    op, *args = plan
    if op == "read":
        return s[str(args[0])]
    if op == "const":
        return int(str(args[0]))
    v = [expected(a, s) for a in args]  # type: ignore[arg-type]
    if op == "ite":
        return v[1] if v[0] else v[2]
    return unary(str(op), *v) if len(v) == 1 else binary(str(op), *v)


def value(e: E, s: dict[str, int]) -> int:
    """The value of ``e`` in ``s``."""
    if e.op == "const":
        return e.value
    if e.op == "read":
        return s[e.name]
    v = [value(a, s) for a in e.args]
    if e.op in ("all", "any"):
        return int(all(v) if e.op == "all" else any(v))
    if e.op == "ite":
        return v[1] if v[0] else v[2]
    return unary(e.op, *v) if len(v) == 1 else binary(e.op, *v)


def parts(e: E) -> list[E]:
    """``e`` and every expression in it."""
    return [e, *(p for a in e.args for p in parts(a))]


@settings(max_examples=300, deadline=None)
@given(conditions())
def test_folding_keeps_the_value_and_range_holds_it(plan: Plan) -> None:
    e = make(Exprs(), plan)
    for s in STATES:
        assert value(e, s) == expected(plan, s)
        assert e.lo <= value(e, s) <= e.hi


@settings(max_examples=300, deadline=None)
@given(conditions(), conditions(), conditions())
def test_what_is_known_leaves_the_value_where_it_holds(one: Plan, two: Plan, plan: Plan) -> None:
    x = Exprs()
    c, d, e = make(x, one), make(x, two), make(x, plan)
    for truth in (True, False):
        facts = x.learn(d, not truth, x.learn(c, truth, {}))
        short = x.simplify(e, facts)
        known = x.decide(e, facts)
        for s in STATES:
            if bool(value(c, s)) == truth and bool(value(d, s)) != truth:
                assert value(short, s) == value(e, s)
                for part in (*parts(c), *parts(d), *parts(e)):
                    lo, hi = x.range_of(part, facts)
                    assert lo <= value(part, s) <= hi
                assert known in (None, bool(value(e, s)))


@settings(max_examples=200, deadline=None)
@given(st.lists(plans(), min_size=1, max_size=4))
def test_chains_are_and_and_or(parts: list[Plan]) -> None:
    x = Exprs()
    made = [make(x, p) for p in parts]
    for s in STATES:
        assert bool(value(x.all(*made), s)) == all(value(m, s) for m in made)
        assert bool(value(x.any(*made), s)) == any(value(m, s) for m in made)

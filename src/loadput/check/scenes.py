"""Which scenarios a change is asked in, where the user names none: those that run it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from ..base.errors import LoadputError
from ..lang.carry import Carried
from ..lang.guess import walk
from ..lang.infer import WRITERS
from ..lang.show import render_body, render_expr
from ..lang.syntax import AssignE, Def, Expr, ExprStmt, If, Invoke, Member, Name, Stmt
from ..lang.vocab import is_barrier
from ..link.program import Choice, Program, link, specification
from ..link.scenario import FOLDER, Scenario, load_scenario
from ..machine.alike import graph_of

SMALL = ("one", "shared")
LARGE = "default"
OTHER, ALIKE, AWAY = "another machine", "the same machine", "not run"
MOST = 3  # levels of callers whose tests are looked at
FURTHER = 4  # scenarios that are looked at for one that sets something else


@cache
def shipped() -> tuple[Scenario, ...]:
    """Every scenario of the specification."""
    return tuple(load_scenario(f.stem) for f in sorted(FOLDER.glob("*.toml")))


def scenes_for(
    before: Choice, after: Choice, edited: Sequence[Carried], *, marks: bool = True
) -> tuple[list[Scenario], list[Scenario]]:
    """The scenarios to ask in order: small ones, one that has what it is about, the large one.

    Only those in which the change is another machine; beside them, those that run what it changes
    and are the same machine with it. Where no scenario runs it, both are empty.

    :param edited: the specification's functions that ``after`` has otherwise than ``before``
    :param marks: as `graph_of` has it
    """
    names = [c.spec.name for c in edited]
    near, far = switches(after, names), switches_beyond(after, names)
    special = _about(near)
    beyond = [s for s in _about(far) if s not in special]
    alike: list[Scenario] = []
    same: list[Scenario] = []  # where it was no other machine, it hardly is one elsewhere

    def ask(scenarios: Iterable[Scenario], most: int) -> list[Scenario]:
        found = []
        for s in scenarios:
            how = compare_in(before, after, s, edited, marks=marks, bare=not same)
            same.extend([s] if how != OTHER else [])
            found += [s] if how == OTHER else []
            alike.extend([s] if how == ALIKE else [])
            if len(found) == most:
                break
        return found

    out = ask(map(load_scenario, SMALL), len(SMALL))
    for scenarios in (special, beyond):
        found = ask(scenarios, 1)
        if found and not _is_met(found[0]):
            found += ask(filter(_is_met, scenarios), 1)
        out += found
    # A flag that it tests may be set only where another constant is.
    left = switches_of_state(after, edited) - {n for s in out for n in _sets(s)}
    more = [s for s in _about(left) if s not in out and s not in alike]
    out += ask(more[:FURTHER], 1)
    large = ask([load_scenario(LARGE)], 1)
    if not out and not large and not alike:
        asked = [*map(load_scenario, SMALL), *special, *beyond, load_scenario(LARGE)]
        seen = {f for s in asked for f in _functions(after, s)}
        rest = [s for s in shipped() if s not in asked and not _functions(after, s) <= seen]
        out = ask(sorted(rest, key=_size), 1)
    return [*out, *large], alike


def _about(wanted: frozenset[str]) -> list[Scenario]:
    """The scenarios that set some of these constants, best first."""
    return sorted(
        (s for s in shipped() if s.name not in (*SMALL, LARGE) and _hits(s, wanted)),
        key=lambda s: (-_hits(s, wanted), *_size(s)),
    )


def _is_met(s: Scenario) -> bool:
    """Whether a vCPU may leave a CPU and find there what another one has left."""
    return s.cpus > 1 and len({t.vcpu for t in s.tasks if t.vcpu is not None}) > 1


def _size(s: Scenario) -> tuple[int, str]:
    return s.cpus * len(s.tasks), s.name


def _functions(choice: Choice, s: Scenario) -> frozenset[str]:
    """What the program of ``choice`` runs in ``s``; nothing where it is none."""
    try:
        return frozenset(link(choice, s, asked=False).functions)
    except LoadputError:
        return frozenset()


def _hits(s: Scenario, wanted: frozenset[str]) -> int:
    return len(wanted & _sets(s))


def _sets(s: Scenario) -> set[str]:
    return {name for name, value in s.constants if value != 0}


def compare_in(
    before: Choice,
    after: Choice,
    s: Scenario,
    edited: Sequence[Carried],
    *,
    marks: bool = True,
    bare: bool = True,
) -> str:
    """OTHER where ``after`` is another machine than ``before`` in scenario ``s``, ALIKE where it is
    the same and runs what is changed, AWAY where it does not.

    :param bare: look first without properties, which is faster where they are not the same
    """
    try:
        programs = _bare(before, s), link(after, s, asked=False)
        if not any(c.spec.name in p.functions for c in edited for p in programs):
            return AWAY
        if bare and graph_of(programs[0], marks=marks)[0] != graph_of(programs[1], marks=marks)[0]:
            return OTHER
        was, places = graph_of(program_of(before, s), marks=marks)
        now, more = graph_of(link(after, s), marks=marks)  # what a monitor sees may be another
    except LoadputError:
        return AWAY
    if was != now:
        return OTHER
    lines = {(x.file, x.line) for x in (*places, *more)}
    met = any(orders_only(c) or lines & _changed(c.spec.body, c.new.body) for c in edited)
    return ALIKE if met else AWAY


def orders_only(c: Carried) -> bool:
    """Whether barriers are all that is changed."""
    return c.spec.body != c.new.body and _unordered(c.spec.body) == _unordered(c.new.body)


_ORDERS = re.compile(
    r"\b(?:smp_\w+|READ_ONCE|WRITE_ONCE|rcu_assign_pointer|rcu_dereference|\w*xchg\w*|atomic\w*|"
    r"(?:test_and_)?(?:set|clear)_bit|kvm_(?:make|check|test|clear)_\w*request\w*|"
    r"kvm_request_pending|set_current_state)\("
)


def may_order(c: Carried) -> bool:
    """Whether what is changed may order accesses: a barrier, a marked access, an atomic, a request;
    or a statement that has moved, in a function that has any of these.
    """
    told = [ln for ln in c.diff(0) if ln.startswith(("+", "-"))]
    if any(_ORDERS.search(ln) for ln in told):
        return True
    gone, new = ({ln[1:].strip() for ln in told if ln[0] == sign} for sign in "-+")
    whole = render_body(c.spec.body, 0)
    return bool(gone & new) and any(_ORDERS.search(ln) for ln in whole)


def _unordered(body: Sequence[Stmt]) -> tuple[Stmt, ...]:
    """``body`` without its barriers."""
    out = []
    for st in body:
        if isinstance(st, ExprStmt) and isinstance(st.expr, Invoke) and is_barrier(st.expr.fn):
            continue
        parts = {f.name for f in dataclasses.fields(st)} & {"then", "other", "body"}
        kept: Any = {n: _unordered(getattr(st, n)) for n in parts}
        out.append(dataclasses.replace(st, **kept))
    return tuple(out)


def _changed(was: Sequence[Stmt], now: Sequence[Stmt]) -> set[tuple[str, int]]:
    """The lines of the statements that are new, gone or another."""
    low, most = 0, min(len(was), len(now))
    while low < most and was[low] == now[low]:
        low += 1
    high = 0
    while high < most - low and was[-1 - high] == now[-1 - high]:
        high += 1
    old, new = was[low : len(was) - high], now[low : len(now) - high]
    if len(old) == len(new) == 1 and type(old[0]) is type(new[0]):
        a, b = old[0], new[0]
        other = [f for f in dataclasses.fields(a) if getattr(a, f.name) != getattr(b, f.name)]
        if {f.name for f in other} <= {"then", "other", "body"}:
            return {ln for f in other for ln in _changed(getattr(a, f.name), getattr(b, f.name))}
        return {(a.span.file, a.span.line)}
    return {(x.span.file, x.span.line) for st in (*old, *new) for x in (st, *walk(st))}


def _is_plain(choice: Choice) -> bool:
    """Whether only what is shipped is in it: it is asked again, and never changes."""
    return not (choice.search or choice.user or choice.removed)


def program_of(choice: Choice, s: Scenario) -> Program:
    """The program of ``choice`` in ``s``; linked once where only what is shipped is in it."""
    return (_kept if _is_plain(choice) else link)(choice, s)


def _bare(choice: Choice, s: Scenario) -> Program:
    """As `program_of`, without properties: faster, and enough to tell most programs apart."""
    return _kept(choice, s, False) if _is_plain(choice) else link(choice, s, asked=False)


@lru_cache(64)
def _kept(choice: Choice, s: Scenario, asked: bool = True) -> Program:
    return link(choice, s, asked=asked)


def switches(choice: Choice, changed: Sequence[str]) -> frozenset[str]:
    """The constants that may decide whether the functions run: those of tests in them, in what
    calls them, and in what those tests call.
    """
    defs, decls = specification(choice)
    out: set[str] = set()
    seen: set[str] = set()
    todo = {n for n in changed if n in defs}
    for _ in range(MOST):
        seen |= todo
        for name in todo:
            for test in (n.cond for n in walk(defs[name].body) if isinstance(n, If)):
                out |= _named(test)
                called = {x.fn for x in (test, *walk(test)) if isinstance(x, Invoke)} & defs.keys()
                out |= {x for fn in called for n in walk(defs[fn].body) for x in _name(n)}
        todo = {n for n, d in defs.items() if n not in seen and _calls(d.body, todo)}
    return frozenset(out & decls.consts.keys())


def switches_of_state(choice: Choice, edited: Sequence[Carried]) -> frozenset[str]:
    """The constants that may decide whether a field has another value that is read where something
    changes: those of tests around what writes it.
    """
    defs, decls = specification(choice)
    fields: set[str] = set()
    called: set[str] = set()
    for c in edited:
        lines = _changed(c.spec.body, c.new.body)
        both = [x for body in (c.spec.body, c.new.body) for x in walk(body)]
        for x in (x for x in both if (x.span.file, x.span.line) in lines):
            fields |= {x.name} if isinstance(x, Member) else set()
            called |= {x.fn} if isinstance(x, Invoke) else set()
    for fn in called & defs.keys():
        fields |= {x.name for x in walk(defs[fn].body) if isinstance(x, Member)}
    todo = {
        n for n, d in defs.items() if fields & {f for x in walk(d.body) for f in _sets_field(x)}
    }
    out: set[str] = set()
    seen: set[str] = set()
    for _ in range(MOST):
        seen |= todo
        out |= {c for n in todo for c in _tested(defs, defs[n].body)}
        todo = {n for n, d in defs.items() if n not in seen and _calls(d.body, todo)}
    return frozenset(out & decls.consts.keys())


def switches_beyond(choice: Choice, changed: Sequence[str]) -> frozenset[str]:
    """The constants that may decide what comes of the functions: those of tests in what they call,
    and of whatever has to do with a field that they write.
    """
    defs, decls = specification(choice)
    mine = {n for n in changed if n in defs}
    written = {f for n in mine for x in walk(defs[n].body) for f in _written(x)}
    out = {
        c for d in defs.values() if written & set(_fields(d.body)) for c in _tested(defs, d.body)
    }
    seen: set[str] = set()
    todo = mine
    for _ in range(MOST):
        seen |= todo
        called = {x.fn for n in todo for x in walk(defs[n].body) if isinstance(x, Invoke)}
        todo = (called & defs.keys()) - seen
        out |= {c for n in todo for c in _tested(defs, defs[n].body)}
    return frozenset(out & decls.consts.keys())


def _tested(defs: Mapping[str, Def], body: Sequence[Stmt]) -> set[str]:
    """What is named in the tests of ``body``, and in what they call."""
    tests = [n.cond for n in walk(body) if isinstance(n, If)]
    out = {c for t in tests for c in _named(t)}
    asked = {x.fn for t in tests for x in (t, *walk(t)) if isinstance(x, Invoke)}
    for _ in range(MOST):
        inner = [x for fn in asked & defs.keys() for x in walk(defs[fn].body)]
        out |= {c for x in inner for c in _name(x)}
        asked = {x.fn for x in inner if isinstance(x, Invoke)}
    return out


def _sets_field(n: Expr | Stmt) -> tuple[str, ...]:
    """The name of the field that ``n`` writes."""
    return tuple(f.rpartition(".")[2] for f in _written(n))


def _written(n: Expr | Stmt) -> tuple[str, ...]:
    """The field that ``n`` writes, after what it is a field of: ``st.preempted``."""
    place = n.lhs if isinstance(n, AssignE) else None
    if isinstance(n, Invoke) and n.fn in WRITERS and n.args:
        place = n.args[0]
    return (_field(place),) if isinstance(place, Member) else ()


def _field(e: Member) -> str:
    """It, after what it is a field of."""
    return f"{render_expr(e.base).rpartition('.')[2]}.{e.name}"


def _fields(body: Sequence[Stmt]) -> Iterator[str]:
    """Every field that is spoken of, as `_written` writes it."""
    for n in walk(body):
        if isinstance(n, Member):
            yield _field(n)


def _name(n: Expr | Stmt) -> tuple[str, ...]:
    return (n.id,) if isinstance(n, Name) else ()


def _named(e: Expr) -> set[str]:
    return {x.id for x in (e, *walk(e)) if isinstance(x, Name)}


def _calls(body: tuple[Stmt, ...], names: set[str]) -> bool:
    return any(isinstance(x, Invoke) and x.fn in names for x in walk(body))

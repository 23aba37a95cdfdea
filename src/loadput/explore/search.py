"""Going on until something happens: a bounded breadth-first search from a state."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from ..base import clock
from ..base.errors import InputError
from ..check.story import variable_name
from ..ir import ops as o
from ..machine.forget import is_shadow
from ..machine.nodes import FRAMES
from ..run.interp import State, Step
from .reads import Asked
from .space import Space
from .truth import Oracle

MOST = 20_000
KINDS = ("call", "change", "fail")

# Whether a step from a state is what is looked for; of several degrees: how much so.
Goal = Callable[[State, Step], int]
REACHED, COULD_FAIL, AT_STAKE = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Found:
    """How a search ended.

    :param steps: the moves to what was looked for; None where it was not found
    :param states: how many states were seen
    :param whole: every state that can be reached was seen: what was not found does not come
    :param degree: of what was found, as the goal gave it
    """

    steps: tuple[int, ...] | None
    states: int
    whole: bool
    degree: int = 0


def go_until(space: Space, s: State, kind: str, name: str, *, most: int = MOST) -> Found:
    """The shortest schedule from ``s`` to a step that calls function ``name`` (kind ``call``),
    changes variable ``name`` (``change``: ``v0.preempted``, or ``preempted`` of any), or violates
    property ``name`` (``fail``; "" for any).

    :raises InputError: LP0531, there is no such thing in this program
    """
    makers = {"call": _calls, "change": _changes, "fail": _fails}
    if kind not in makers:
        raise _unknown(f"no search '{kind}'", kind, KINDS)
    return search(space, s, makers[kind](space, name), most=most)


def search(
    space: Space,
    s: State,
    goal: Goal,
    *,
    most: int = MOST,
    wanted: int = 1,
) -> Found:
    """The shortest schedule from ``s`` to a step of degree ``wanted``, or to the highest there is.

    :param most: states after which the search ends, between two of them
    """
    parent: dict[State, tuple[State, int] | None] = {s: None}
    level, best = [s], Found(None, 0, False)
    while level:
        after: list[State] = []
        for at in level:
            for i, x in enumerate(space.steps(at)):
                degree = int(goal(at, x))
                if degree > best.degree:
                    best = Found((*_path(parent, at), i), len(parent), False, degree)
                    if degree >= wanted:
                        return best
                if x.state is not None and x.state not in parent:
                    parent[x.state] = (at, i)
                    after.append(x.state)
            if len(parent) > most or clock.is_up():
                return replace(best, states=len(parent))
        level = after
    return replace(best, states=len(parent), whole=True)


def _path(parent: dict[State, tuple[State, int] | None], s: State) -> tuple[int, ...]:
    out = []
    while (back := parent[s]) is not None:
        s, i = back
        out.append(i)
    return tuple(reversed(out))


def _unknown(what: str, name: str, known: Iterable[str]) -> InputError:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 3)
    return InputError(
        "LP0531",
        what,
        got=name[:60],
        available=", ".join(near or names[:12]) + ("" if near or len(names) < 13 else ", …"),
    )


# what is looked for


def functions_of(space: Space) -> list[str]:
    """The functions that a search can look for."""
    kinds = FRAMES
    return sorted({f for n in space.m.graph.nodes if n.kind in kinds for f in n.stack})


def variables_of(space: Space) -> dict[str, int]:
    """The variables that can change, by the name that reports give them, with their slot."""
    m = space.m
    return {
        variable_name(m, var, i): at + i
        for var, at in m.var_at.items()
        if not is_shadow(var)
        for i in range(m.values.vars[var].count * m.values.vars[var].length)
    }


def _calls(space: Space, name: str) -> Goal:
    m = space.m
    inside = {n.id for n in m.graph.nodes if name in n.stack}
    if not inside:
        raise _unknown(f"no function '{name}' in this program", name, functions_of(space))

    def goal(s: State, x: Step) -> int:
        if not x.action.start and x.nodes[0] in inside:
            # It is in it: what counts is to come back to it from outside.
            outside = next((k for k, n in enumerate(x.nodes) if n not in inside), None)
            return outside is not None and any(n in inside for n in x.nodes[outside:])
        if any(n in inside for n in x.nodes):
            return True
        a = x.action
        inst = a.cpu if a.kind == "irq" else a.task
        pc = x.state[m.pc_at[a.kind] + inst] if x.state is not None else 0
        return bool(pc) and m.node_of(a.kind, pc) in inside

    return goal


def _changes(space: Space, name: str) -> Goal:
    known = variables_of(space)
    slots = [at for n, at in known.items() if n == name or _field(n) == name]
    if not slots:
        raise _unknown(f"no variable '{name}' that changes in this program", name, known)

    def goal(s: State, x: Step) -> int:
        after = x.state
        return after is not None and any(s[k] != after[k] for k in slots)

    return goal


def _field(name: str) -> str:
    """``preempted`` of ``v0.preempted`` and of ``v0.preempted[1]``; ``hw_fs`` of ``hw_fs[c0]``."""
    return name.partition(".")[2].partition("[")[0] or name.partition("[")[0]


def _fails(space: Space, name: str) -> Goal:
    m = space.m
    if name and name not in m.props:
        raise _unknown(f"no property '{name}' of this program", name, m.props)
    mask = 1 << m.props.index(name) if name else -1
    of_states = any(
        p.kind in ("always", "stuck") and p.name in (name or p.name)
        for p in m.program.properties
        if not p.applies
    )

    def goal(s: State, x: Step) -> int:
        if x.violated & mask:
            return True
        if not of_states or x.state is None:
            return False
        stuck = space.interp.is_stuck(space.interp.steps(x.state))
        return bool(space.interp.violated_by(x.state, stuck) & mask)

    return goal


# a property that holds


def find_witness(space: Space, oracle: Oracle, name: str, *, most: int = MOST) -> Found:
    """The shortest run in which property ``name`` is asked with something at stake, and holds.

    ``degree`` AT_STAKE: what it reads is not all as it was at the start, and there is a value of
    something that it reads with which it would not hold. COULD_FAIL: the latter alone. REACHED: its
    place is come to.

    :raises InputError: LP0531, no such property, or one of every operation
    """
    p = oracle.known.get(name)
    if p is None or p.fn is None:
        names = [n for n, q in oracle.known.items() if q.fn is not None]
        raise _unknown(f"no property '{name}' that is asked in a place", name, names)
    if p.kind in ("always", "stuck"):
        goal = _state_at_stake(space, oracle, name)
        return search(space, space.initial, goal, most=most, wanted=AT_STAKE)
    hook = name.replace("-", "_")
    places = {
        n.id
        for n in space.m.graph.nodes
        if hook in n.stack or (isinstance(n.op, o.Check) and n.op.prop == name)
    }
    slots = variables_of(space)

    def degree(s: State, x: Step) -> int:
        if not places.intersection(x.nodes) or x.violated:
            return 0
        said = (_stake(space, oracle, st, x, q, slots) for st, q in _asked_in(space, s, x, name))
        return max(said, default=REACHED)

    return search(space, space.initial, degree, most=most, wanted=AT_STAKE)


def _asked_in(space: Space, s: State, x: Step, name: str) -> Iterator[tuple[list[int], Asked]]:
    """Where a step asks ``name`` and it holds: the state then, and what it said."""
    a, hook = x.action, name.replace("-", "_")
    st, loc = list(s), space.locals_at(s, x.action, x.nodes[0])
    asked = [
        q
        for q in space.reader.asked(list(s), dict(loc), a.cpu, a.task + 1, x.nodes, a.choices)
        if q.property == name
    ]
    ways = space.reader.along(st, loc, a.cpu, a.task + 1, x.nodes, a.choices)
    before = next((list(st) for node, _, _ in ways if hook in node.stack), None)
    if before is not None:
        yield from ((before, q) for q in asked[:1] if q.holds)


def _stake(
    space: Space, oracle: Oracle, st: list[int], x: Step, asked: Asked, slots: dict[str, int]
) -> int:
    at = [slots[r.name] for r in asked.reads if r.name in slots]
    if not at or not can_fail(space, oracle, tuple(st), asked.property, at, x.action.cpu):
        return REACHED
    return AT_STAKE if any(st[k] != space.initial[k] for k in at) else COULD_FAIL


def can_fail(
    space: Space, oracle: Oracle, s: State, name: str, slots: Iterable[int], cpu: int
) -> bool:
    """Whether some value of one of ``slots`` makes ``name`` false in ``s``; where it cannot be
    asked of a state alone, nothing speaks against it."""
    here = [t for t in oracle.ask(name, s) if t.cpu in (cpu, -1)]
    if not here:
        return True
    for k in slots:
        slot = space.m.slots[k]
        for value in range(slot.lo, min(slot.hi, slot.lo + 15) + 1):
            other = (*s[:k], value, *s[k + 1 :])
            if any(not t.asked.holds for t in oracle.ask(name, other) if t.cpu in (cpu, -1)):
                return True
    return False


def _state_at_stake(space: Space, oracle: Oracle, name: str) -> Goal:
    slots = variables_of(space)

    def degree(s: State, x: Step) -> int:
        if x.state is None or x.violated:
            return 0
        best = 0
        for t in oracle.ask(name, x.state):
            at = [slots[r.name] for r in t.asked.reads if r.name in slots]
            if not t.asked.holds:
                continue
            best = max(best, REACHED)
            if can_fail(space, oracle, x.state, name, at, -1):
                moved = any(x.state[k] != space.initial[k] for k in at)
                best = AT_STAKE if moved else max(best, COULD_FAIL)
        return best

    return degree

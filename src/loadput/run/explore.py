"""Exploring every state of a machine, by whichever engine: what is asked, and what comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ..base import clock
from ..base.errors import LoadputError
from ..machine.model import Machine
from ..machine.nodes import BEGINS
from .interp import Action, Interpreter, State, Step
from .reduce import NOTHING, Plan, Reduce, Reduction, make_plan, walk_back

ENGINES = ("native", "interp")
Progress = Callable[[int, int, int, float], None]
PROGRESS_S = 0.25


@dataclass(frozen=True, slots=True)
class Limits:
    """Where an exploration may end before every state was seen.

    ``max_states`` and ``stop_at_first`` are looked at between two depths, so that what was covered
    is the same for every engine and number of threads; memory and time at any moment.

    :param threads: 0: every core of this machine
    :param at_once: searches that run at the same time and share the memory that is free
    :param interrupted: asked like the clock; true ends the search, as "interrupt"
    """

    max_states: int | None = None
    max_memory_bytes: int | None = None
    max_time_s: float | None = None
    stop_at_first: bool = False
    threads: int = 0
    at_once: int = 1
    interrupted: Callable[[], bool] | None = None

    @property
    def is_interrupted(self) -> bool:
        """Whether somebody wants an end."""
        return self.interrupted is not None and self.interrupted()


@dataclass(slots=True)
class Exploration:
    """What an engine found.

    :param depth: steps from the initial state to the farthest state found
    :param finished: every reachable state was seen, and every step from each
    :param stopped_by: "" or the limit that was met: states, memory, time, first, interrupt
    :param first: per violated property a shortest path, the first in breadth-first order: its last
        action violates, or leads to the state that does
    :param levels: states per depth
    :param fired_at: steps begun at each control point, by node; 0 where there was none
    :param nodes: every node that some step passed
    :param reduction: None where no reduction was wanted; else states, transitions, levels and
        ``fired`` are those of the reduced search, and paths are the shortest of all
    :param alike: a name for the machine, natively: equal ones are equal step by step
    :param title: of the program that was searched, where this one is the same, step by step
    """

    states: int
    transitions: int
    depth: int
    finished: bool
    stopped_by: str
    first: dict[str, list[Action]]
    levels: list[int]
    fired: dict[str, int]
    fired_at: dict[int, int]
    nodes: set[int]
    bytes_per_state: float = 0.0
    compile_s: float = 0.0
    search_s: float = 0.0
    engine: str = ""
    threads: int = 1
    reduction: Reduction | None = None
    alike: str = ""
    title: str = ""


class Known:
    """Searches that saw every state, each by the machine that it was of: programs that are one
    machine, as designs are where an architecture asks nothing of them, are searched once.

    For several threads: whoever comes with a machine that is being searched waits for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self._found: dict[str, tuple[Exploration, str]] = {}

    @contextmanager
    def turn(self, key: str) -> Iterator[Exploration | None]:
        """What the search of machine ``key`` found; None: it is the caller's to search."""
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            if key in self._found:
                x, title = self._found[key]
                yield replace(x, compile_s=0.0, search_s=0.0, title=title)
            else:
                yield None

    def keep(self, key: str, x: Exploration, title: str) -> None:
        """Note what the search of ``key`` found, where it saw every state."""
        if x.finished:
            self._found[key] = x, title


@dataclass(slots=True)
class Violations:
    """The first violation per property: least in (length of the path, kind, state, action).

    A step that violates comes before a state that does, where their paths are equally long.
    """

    props: list[str]
    best: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)

    def add(self, mask: int, key: tuple[int, int, int, int]) -> None:
        """Note that ``mask`` is violated at ``key``: (length, 0 step or 1 state, state, action)."""
        for i, name in enumerate(self.props):
            if mask >> i & 1 and (name not in self.best or key < self.best[name]):
                self.best[name] = key


def explore(
    machine: Machine,
    *,
    engine: str = "native",
    limits: Limits | None = None,
    progress: Progress | None = None,
    reduce: Reduce = NOTHING,
    known: Known | None = None,
) -> Exploration:
    """Return what a breadth-first search of every reachable state of ``machine`` finds.

    Deterministic: states, transitions, depths and paths do not depend on engine or threads, unless
    the limit of time or memory ended the search.

    :param reduce: leave out states and steps that no verdict needs
    :param progress: called about four times a second with (states, depth, frontier, seconds)
    :param known: searches that need not be run again, natively; this one is added
    Raises LayoutError where a state cannot be packed; InternalError LP0900 where the native engine
    and the interpreter disagree.
    """
    limits = limits or Limits()
    if engine == "interp":
        return explore_interp(machine, limits, progress, reduce)
    if engine != "native":
        raise LoadputError("LP0701", f"no engine '{engine}'", available=", ".join(ENGINES))
    from .native.search import explore_native

    return explore_native(machine, limits, progress, reduce, known)


def count_by_name(m: Machine, fired_at: dict[int, int]) -> dict[str, int]:
    """Steps per function that they begin in."""
    out: dict[str, int] = {}
    for node, n in sorted(fired_at.items()):
        name = m.graph.nodes[node].stack[-1]
        out[name] = out.get(name, 0) + n
    return out


def points(m: Machine) -> dict[int, int]:
    """Every control point at which a step can begin, with the count 0."""
    return {n: 0 for kind in BEGINS for n in m.fused.control[kind]}


def explore_interp(
    m: Machine, limits: Limits, progress: Progress | None, reduce: Reduce = NOTHING
) -> Exploration:
    """Explore with the interpreter: slow, and the definition."""
    if reduce == NOTHING:
        return _Search(m, limits, progress).run()
    plan = make_plan(m, reduce)
    found = _Search(m, limits, progress, plan).run()
    if found.first and plan.works:
        # A shortest path may be among those that were left out.
        bound = Limits(
            None, limits.max_memory_bytes, limits.max_time_s, interrupted=limits.interrupted
        )
        again = _Search(m, bound, None)
        again.to_depth = max(len(path) for path in found.first.values())
        shortest = again.run().first
        found.first = {p: shortest.get(p, path) for p, path in found.first.items()}
    return found


class _Search:
    def __init__(
        self, m: Machine, limits: Limits, progress: Progress | None, plan: Plan | None = None
    ) -> None:
        self.m, self.limits, self.progress = m, limits, progress
        self.it, self.plan = Interpreter(m), plan or Plan()
        self.to_depth: int | None = None
        self.ample = 0
        self.first = self.plan.rename(m.initial)
        self.states: list[State] = [self.first]
        self.index: dict[State, int] = {self.first: 0}
        self.parents: list[tuple[int, Action | None]] = [(-1, None)]
        self.levels = [1]
        self.violations = Violations(m.props)
        self.fired_at = points(m)
        self.paths: set[tuple[int, ...]] = set()
        self.transitions = 0
        self.bytes = len(m.slots) * 8 + 200
        self.start = time.perf_counter()
        self.told = self.start

    def run(self) -> Exploration:
        lo, stopped = 0, ""
        while lo < len(self.states) and not stopped:
            if self.to_depth is not None and len(self.levels) - 1 > self.to_depth:
                break
            hi = len(self.states)
            for i in range(lo, hi):
                self._expand(i)
                if i & 63 == 0:
                    stopped = self._out_of_bounds(hi - i)
                    if stopped:
                        break
            if len(self.states) > hi:
                self.levels.append(len(self.states) - hi)
            lo = hi
            stopped = stopped or self._between_levels(lo)
        return self._result(stopped)

    def _expand(self, i: int) -> None:
        s, depth = self.states[i], len(self.levels) - 1
        stuck = True
        for a, step in enumerate(self._steps(s)):
            self.transitions += 1
            self.fired_at[step.nodes[0]] += 1
            self.paths.add(step.nodes)
            stuck = stuck and self.it.is_stuck((step,))
            if step.violated:
                self.violations.add(step.violated, (depth + 1, 0, i, a))
            new = self.plan.rename(step.state) if step.state is not None else None
            if new is not None and new not in self.index:
                self.index[new] = len(self.states)
                self.states.append(new)
                self.parents.append((i, step.action))
        for t in self.plan.orbit(s):
            mask = self.it.violated_by(t, stuck)
            if mask:
                self.violations.add(mask, (depth, 1, i, 0))

    def _steps(self, s: State) -> Iterable[Step]:
        """The steps from ``s`` that the search takes."""
        alone = self.plan.alone
        if not alone:
            return self.it.steps(s)
        for cpu in range(self.m.cpus):
            at = self.it.runs(s, cpu)
            if at is not None and at[2] in alone.get((cpu, at[0]), ()):
                steps = list(self.it.go_on(s, cpu))
                if steps and all(x.state is not None for x in steps):
                    self.ample += 1
                    return steps
        return self.it.steps(s)

    def _out_of_bounds(self, frontier: int) -> str:
        now = time.perf_counter()
        if self.progress and now - self.told > PROGRESS_S:
            self.told = now
            self.progress(len(self.states), len(self.levels) - 1, frontier, now - self.start)
        most = self.limits.max_time_s
        if clock.is_up() or (most is not None and now - self.start > most):
            return "time"
        if self.limits.is_interrupted:
            return "interrupt"
        bytes_ = self.limits.max_memory_bytes
        return "memory" if bytes_ is not None and len(self.states) * self.bytes > bytes_ else ""

    def _between_levels(self, lo: int) -> str:
        if self.limits.stop_at_first and self.violations.best:
            return "first"
        most = self.limits.max_states
        done = lo == len(self.states)
        return "states" if most is not None and len(self.states) >= most and not done else ""

    def _path(self, prop: str) -> list[Action]:
        _, kind, i, _ = self.violations.best[prop]
        states: list[State] = []
        while i >= 0:
            states.append(self.states[i])
            i = self.parents[i][0]
        return walk_back(self.it, self.plan, states[::-1], prop, kind)

    def _result(self, stopped: str) -> Exploration:
        best = self.violations.best
        return Exploration(
            len(self.states),
            self.transitions,
            len(self.levels) - 1,
            not stopped,
            stopped,
            {p: self._path(p) for p in self.m.props if p in best},
            self.levels,
            count_by_name(self.m, self.fired_at),
            self.fired_at,
            set().union(*self.paths) if self.paths else set(),
            float(self.bytes),
            0.0,
            time.perf_counter() - self.start,
            "interp",
            1,
            self.plan.report(self.ample),
        )

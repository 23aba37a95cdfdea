"""Exploring every state of a machine, by whichever engine; the interpreter's search."""

from __future__ import annotations

import time
from collections.abc import Iterable

from ..base import clock
from ..base.errors import LoadputError
from ..machine.model import Machine
from .exploration import (
    PROGRESS_S,
    Exploration,
    Known,
    Limits,
    Progress,
    Violations,
    count_by_name,
    points,
)
from .interp import Action, Interpreter, State, Step
from .reduce import NOTHING, Plan, Reduce, make_plan, walk_back

ENGINES = ("native", "interp")


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

"""The search: depth by depth over every thread, limits, and the paths back."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from operator import or_

from ...base import clock
from ...base.errors import LayoutError, TimeUp
from ...machine.model import Machine
from ..exploration import (
    PROGRESS_S,
    Exploration,
    Known,
    Limits,
    Progress,
    Violations,
    count_by_name,
    points,
)
from ..interp import Action
from ..reduce import NOTHING, Plan, Reduce, make_plan
from .build import Native, Text, compile_machine, text_key, write_text
from .memory import Memory, available_bytes
from .offsets import FIELDS
from .replay import reduced_paths, replay_paths
from .step import TOO_MANY

CHUNK = 32_768
"""States per call: some 20 ms, so that limits of time and progress are looked at in between."""
MARGIN = 16_384
"""Room that a thread wants before it goes on: one state's steps and the ring must fit."""
SHARE_FROM = 4_096
"""A depth with fewer states is not worth waking other threads."""
IMPROVE_AFTER_S = 0.25
IMPROVE_AFTER_LINE_S = 30e-6
"""A search that takes longer is worth better code: where others want the core that makes it, than
making it takes, by lines of IR."""
MEMORY_RATIO = 0.8
"""Of the memory that is free, what a search takes unless it is told otherwise."""


def explore_native(
    m: Machine,
    limits: Limits,
    progress: Progress | None,
    reduce: Reduce = NOTHING,
    known: Known | None = None,
) -> Exploration:
    """Explore ``m`` natively; every path is replayed on the interpreter before it is returned.

    Several threads find the same states but not the same parents, so that paths come from a second
    search, by one thread, to the depth of the longest path wanted; unless a limit of memory or time
    ended the first. So they do where something was left out, as a shortest path may be with it.
    """
    plan = make_plan(m, reduce) if reduce != NOTHING else Plan()
    threads = limits.threads or len(os.sched_getaffinity(0))
    text = write_text(m, shared=threads > 1, plan=plan)
    key = text_key(m, text)
    if known is None:
        found = _explore(m, text, plan, threads, limits, progress)
        found.alike = key
        return found
    with known.turn(key) as earlier:
        found = earlier or _explore(m, text, plan, threads, limits, progress)
        if earlier is None:
            found.alike = key
            known.keep(key, found, m.program.choice.title)
    return found


def _explore(
    m: Machine, text: Text, plan: Plan, threads: int, limits: Limits, progress: Progress | None
) -> Exploration:
    t0 = time.perf_counter()
    native = compile_machine(m, shared=threads > 1, plan=plan, text=text)
    t1 = time.perf_counter()
    run = Run(native, threads, limits, progress)
    try:
        run.search()
        found = run.exploration()
        found.reduction = plan.report(sum(t.get("ample") for t in run.threads))
        paths: dict[str, list[Action]] = {}
        alone = threads == 1 or run.stopped in ("memory", "time", "interrupt")
        if run.violations.best and plan.works:
            paths = reduced_paths(run, plan)
        elif run.violations.best:
            paths = replay_paths(run)
    finally:
        run.close()
    if run.violations.best and plan.works:
        with suppress(TimeUp):
            plain = compile_machine(m, shared=False)
            paths |= _search_again(plain, run, limits, shorter=True)
    elif run.violations.best and not alone:
        paths |= _search_again(native, run, limits)
    found.first = {p: paths[p] for p in m.props if p in paths}
    found.compile_s = t1 - t0
    return found


def _search_again(
    native: Native, first: Run, limits: Limits, *, shorter: bool = False
) -> dict[str, list[Action]]:
    """The paths that one thread finds.

    :param shorter: they may be shorter, and a limit of time or memory may end the search for them
    """
    bound = Limits(
        max_memory_bytes=limits.max_memory_bytes,
        max_time_s=limits.max_time_s if shorter else None,
        at_once=limits.at_once,
        interrupted=limits.interrupted,
    )
    again = Run(native, 1, bound, None)
    again.to_depth = max(key[0] for key in first.violations.best.values())
    try:
        again.search()
        lengths = {p: key[0] for p, key in again.violations.best.items()}
        for p, key in first.violations.best.items():
            late = shorter and (lengths.get(p, 0) < key[0] if p in lengths else again.stopped)
            late = late or (p not in lengths and again.stopped in ("interrupt", "time"))
            if lengths.get(p) != key[0] and not late:
                again.disagree(f"{p} at depth {key[0]} by one search, {lengths.get(p)} by another")
        best = again.violations.best
        again.violations.best = {p: best[p] for p in first.violations.best if p in best}
        return replay_paths(again)
    finally:
        again.close()


class Thread:
    """The context of one search thread: fields by name, as the machine code reads them."""

    def __init__(self, native: Native, memory: Memory, number: int) -> None:
        self.at = native.at
        size = native.at.size
        self.block = (ctypes.c_uint64 * (size // 8 + 16))()
        base = ctypes.addressof(self.block)
        self.address = -(-base // 64) * 64
        self.fields = (ctypes.c_uint64 * len(FIELDS)).from_address(self.address)
        self.first = memory.first(number)
        self.set("next", self.first)
        self.lo = self.hi = self.first

    def get(self, name: str) -> int:
        return int(self.fields[FIELDS.index(name)])

    def set(self, name: str, value: int) -> None:
        self.fields[FIELDS.index(name)] = value

    def words(self, offset: int, count: int) -> list[int]:
        """``count`` numbers of the context from ``offset`` on."""
        return list((ctypes.c_uint64 * count).from_address(self.address + offset))

    @property
    def found(self) -> int:
        return self.get("next") - self.first


@dataclass(slots=True)
class _Work:
    """What is left to expand at one depth, and why it ended."""

    chunks: deque[tuple[int, int]]
    stop: str = ""
    error: BaseException | None = None


class Run:
    """One search."""

    def __init__(
        self, native: Native, threads: int, limits: Limits, progress: Progress | None
    ) -> None:
        self.native, self.limits, self.progress = native, limits, progress
        bound = int(available_bytes() * MEMORY_RATIO) // limits.at_once
        if limits.max_memory_bytes is not None:
            bound = min(bound, limits.max_memory_bytes)
        self.memory = Memory(native.layout.words, threads, bound)
        self.threads = [Thread(native, self.memory, i) for i in range(threads)]
        self.violations = Violations(native.machine.props)
        self.levels = [1]
        self.stopped = ""
        self.to_depth: int | None = None
        self.start = self.told = time.perf_counter()
        self.seconds = 0.0
        self.improver: threading.Thread | None = None
        self.improve_after = IMPROVE_AFTER_S
        if limits.at_once > 1:
            self.improve_after = max(IMPROVE_AFTER_S, IMPROVE_AFTER_LINE_S * native.lines)

    # the search

    def search(self) -> None:
        """Run to the end or to a limit."""
        self._point()
        words = self.native.layout.pack(self.native.machine.initial)
        first = (ctypes.c_uint64 * len(words))(*words)
        self.native.code.seed(self.threads[0].address, ctypes.addressof(first))
        while not self.stopped and self._frontier():
            if self.to_depth is not None and len(self.levels) - 1 > self.to_depth:
                break
            self._level()
            self._note()
            n = sum(t.found for t in self.threads) - sum(self.levels)
            if n:
                self.levels.append(n)
            self.stopped = self.stopped or self._between_levels(n)
        self.seconds = time.perf_counter() - self.start

    def _point(self) -> None:
        """Tell every thread where the memory is."""
        for t in self.threads:
            t.set("states", self.memory.states.at)
            t.set("parents", self.memory.parents.at)
            t.set("table", self.memory.table.at)
            t.set("lines", self.memory.lines)

    def _frontier(self) -> int:
        """Take what was found last as what is expanded next; return how much it is."""
        total = 0
        for t in self.threads:
            t.lo, t.hi = t.hi, t.get("next")
            total += t.hi - t.lo
        return total

    def _level(self) -> None:
        work = _Work(deque())
        for t in self.threads:
            for lo in range(t.lo, t.hi, CHUNK if len(self.threads) == 1 else self._share()):
                step = CHUNK if len(self.threads) == 1 else self._share()
                work.chunks.append((lo, min(lo + step, t.hi)))
        while work.chunks and not work.stop:
            total = sum(t.found for t in self.threads)
            share = len(self.threads) if self.levels[-1] >= SHARE_FROM else 1
            room = self.memory.room(total, max(t.found for t in self.threads))
            if room < 2 * MARGIN * share:
                if self.memory.grow(total, self.native.code.rehash):
                    self._point()
                    continue
                if room < 2 * MARGIN:
                    work.stop = "memory"
                    break
                share = 1
            for t in self.threads[:share]:
                t.set("quota", t.get("next") + room // share - MARGIN)
            self._together(self.threads[:share], work)
        self.stopped = work.stop
        for t in self.threads:
            if t.get("status") & TOO_MANY:
                raise LayoutError(
                    "LP0707",
                    "a step with more than 64 choices",
                    expected="fewer choices between two accesses",
                )
            if t.get("status"):
                self.disagree("a value outside of what the value analysis gave it")

    def _together(self, team: list[Thread], work: _Work) -> None:
        """Let ``team`` work; whatever happens, nobody works any more afterwards."""
        others = [threading.Thread(target=self._guarded, args=(t, work)) for t in team[1:]]
        for other in others:
            other.start()
        try:
            self._worker(team[0], work, chief=True)
        except BaseException:
            work.stop = "error"
            raise
        finally:
            for other in others:
                other.join()
        if work.error is not None:
            raise work.error

    def _guarded(self, t: Thread, work: _Work) -> None:
        try:
            self._worker(t, work)
        except BaseException as e:
            work.error, work.stop = e, "error"

    def _share(self) -> int:
        """States per chunk, so that threads end a depth together."""
        return max(512, min(CHUNK, self.levels[-1] // (8 * len(self.threads))))

    def _worker(self, t: Thread, work: _Work, *, chief: bool = False) -> None:
        while not work.stop:
            try:
                lo, hi = work.chunks.popleft()
            except IndexError:
                return
            t.set("cur", lo)
            t.set("end", hi)
            self.native.code.work(t.address)
            if t.get("status"):
                work.stop = "status"
                return
            if t.get("cur") < hi:
                work.chunks.appendleft((t.get("cur"), hi))
                return
            now = time.perf_counter()
            most = self.limits.max_time_s
            if clock.is_up() or (most is not None and now - self.start > most):
                work.stop = "time"
            elif self.limits.is_interrupted:
                work.stop = "interrupt"
            if chief:
                self._improve(now)
            if chief and self.progress and now - self.told > PROGRESS_S:
                self.told = now
                found = sum(t.found for t in self.threads)
                left = sum(b - a for a, b in list(work.chunks))
                self.progress(found, len(self.levels) - 1, left, now - self.start)

    def _improve(self, now: float) -> None:
        if self.improver is None and not self.native.improved:
            if now - self.start > self.improve_after:
                self.improver = threading.Thread(target=self.native.improve, daemon=True)
                self.improver.start()

    def _note(self) -> None:
        """Violations met at this depth, with the place of the first in order."""
        depth = len(self.levels) - 1
        for t in self.threads:
            for kind, seen, where in (
                (0, "step_seen", self.native.at.step_at),
                (1, "state_seen", self.native.at.state_at),
            ):
                mask = t.get(seen)
                for b in range(mask.bit_length()):
                    if not mask >> b & 1:
                        continue
                    if kind == 0:
                        state, a = t.words(where + 16 * b, 2)
                    else:
                        (state,), a = t.words(where + 8 * b, 1), 0
                    if t.lo <= state < t.hi or len(self.threads) > 1:
                        self.violations.add(1 << b, (depth + 1 - kind, kind, state, a))

    def _between_levels(self, frontier: int) -> str:
        if self.limits.stop_at_first and self.violations.best:
            return "first"
        most = self.limits.max_states
        over = most is not None and sum(self.levels) >= most
        return "states" if over and frontier else ""

    # results

    def exploration(self) -> Exploration:
        """What was found; paths aside."""
        m, native = self.native.machine, self.native
        total = sum(t.found for t in self.threads)
        rows = [t.words(native.at.fired, len(native.entries)) for t in self.threads]
        fired = points(m)
        fired |= {n: sum(r[i] for r in rows) for i, n in enumerate(native.entries)}
        size = native.at.masks * len(native.entries)
        seen = [t.words(native.at.seen, size) for t in self.threads]
        nodes = native.cover.passed([reduce(or_, row) for row in zip(*seen, strict=True)])
        return Exploration(
            total,
            sum(t.get("transitions") for t in self.threads),
            len(self.levels) - 1,
            not self.stopped,
            self.stopped,
            {},
            self.levels,
            count_by_name(m, fired),
            fired,
            nodes,
            self.memory.bytes(total) / max(1, total),
            0.0,
            self.seconds,
            "native",
            len(self.threads),
        )

    def way_to(self, number: int) -> list[tuple[int, ...]]:
        """The states from the initial one to ``number``, as the interpreter writes them."""
        n = self.native.layout.words
        out = []
        while True:
            at = self.memory.states.at + 8 * n * number
            words = list((ctypes.c_uint64 * n).from_address(at))
            out.append(self.native.layout.unpack(words))
            if number == 0:
                return out[::-1]
            number = ctypes.c_uint32.from_address(self.memory.parents.at + 4 * number).value

    def disagree(self, what: str) -> None:
        """Our bug: raise InternalError with a repro folder."""
        from .replay import raise_disagreement

        raise_disagreement(self.native, what, [])

    def close(self) -> None:
        """Give the memory back."""
        if self.improver is not None:
            clock.wait(self.improver)
        self.memory.close()

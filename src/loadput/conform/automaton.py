"""The specification as an automaton over what a trace says, built as the trace asks for it.

A state is the set of positions that the trace so far allows. A step is computed once, by running
the IR of the linked program (:mod:`.walk`), and remembered; a long trace is then table look-ups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.clock import look
from ..link.program import Program
from .symbols import (
    ABSENT,
    BLOCKED,
    BLOCKED_OR_SIGNAL,
    CPU_ABSENT,
    CPU_BEFORE,
    CPU_ELSE,
    CPU_HERE,
    CPU_NONE,
    CPU_SAME,
    EXIT_ABSENT,
    EXIT_ELSE,
    EXIT_HERE,
    EXIT_NONE,
    FLAGS,
    FORMER_OTHER,
    FORMER_OWN,
    MAYBE_WOKEN,
    RUNNABLE,
    STORED,
    WOKEN,
    Seen,
    unpack,
)
from .walk import (
    BEFORE,
    CPU,
    DIRTY,
    FORMER,
    HERE,
    LAST_EXIT,
    OTHER,
    PREEMPTED,
    READY,
    STRANGER,
    VARS,
    Inputs,
    Point,
    Position,
    Value,
    Walker,
)
from .words import Words

State = frozenset[Position]
# Per aspect of one probe: how the comparison came out.
NOTHING, COMPARED, WIDENED, OPEN, DIVERGED = range(5)
ASPECTS = ("order", *FLAGS, "cpu", "csr_dirty", "restore")
LOAD = ("kvm_arch_vcpu_load", "entry")
UNPREDICTED = 2
ABSENT_FUNCTION = "no such function in this release"
_EXIT_VALUE: dict[int, Value] = {
    EXIT_NONE: -1,
    EXIT_HERE: HERE,
    EXIT_ELSE: OTHER,
    EXIT_ABSENT: None,
}
_CPU_VALUE = {CPU_NONE: -1, CPU_HERE: HERE, CPU_BEFORE: BEFORE, CPU_SAME: OTHER, CPU_ELSE: 99}
CPU_WORDS = {-1: "-1", HERE: "this CPU", BEFORE: "the CPU of the probe before", OTHER: "another"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One step's comparison.

    :param codes: one of NOTHING.. per aspect of :data:`ASPECTS`
    :param expected: what the specification allows, in words, for aspects that diverged or widened
    :param irqs_off: 0, 1 or UNPREDICTED; ``preempt_off`` alike
    """

    codes: tuple[int, ...]
    expected: tuple[str, ...]
    irqs_off: int = UNPREDICTED
    preempt_off: int = UNPREDICTED


Row = dict[int, "tuple[Row, int]"]


class Automaton:
    """Steps of one program. ``rows[state][symbol]`` is (next row, outcome number).

    :param step_count: steps that were computed; the rest was looked up
    """

    def __init__(self, program: Program, points: list[Point], demanded: set[str]) -> None:
        """``demanded``: functions of the common path; others that a release lacks are passed by."""
        self.points = points
        have = {p for p in points if p[0] in program.functions}
        self.walker = Walker(program, frozenset(have))
        lacking = {i for i, p in enumerate(points) if p not in have}
        self.absent = {i for i in lacking if points[i][0] in demanded}
        self.ignored = lacking - self.absent
        self.outcomes: list[Outcome] = []
        self._numbers: dict[Outcome, int] = {}
        self._states: dict[State, Row] = {}
        self._back: dict[int, State] = {}
        self._passages: list[list[int]] = []
        self.step_count = 0
        self._anywhere = self._find_anywhere()
        self.start: Row = {}
        self._back[id(self.start)] = frozenset()

    def run(self, symbols: list[int], out: list[int], row: Row) -> Row:
        """Take ``symbols`` from the state ``row``; return the state after.

        Appends the number of each symbol's outcome to ``out``.
        """
        for symbol in symbols:
            look()
            row, number = row.get(symbol) or self._compute(row, symbol)
            out.append(number)
        return row

    def run_words(self, words: list[int], text: Words, row: Row) -> tuple[NDArray[np.int32], Row]:
        """Return the numbers of the outcomes along ``words`` from ``row``, and the state after."""
        passages: list[int] = []
        note = passages.append
        rest = iter(words)
        word = 0
        while True:
            try:
                # Words are below 0, symbols are not: both are keys of a row.
                for word in rest:
                    row, number = row[~word]
                    note(number)
                break
            except KeyError:
                pass
            out: list[int] = []
            after = self.run(text.spell(word), out, row)
            row[~word] = (after, len(self._passages))
            note(len(self._passages))
            self._passages.append(out)
            row = after
        table = np.array(self._passages, dtype=np.int32).reshape(-1, text.size)
        return table[passages].ravel(), row

    def _find_anywhere(self) -> dict[Point, State]:
        # Every position right behind a probe point, from a vCPU with an unknown past.
        free = Inputs(((0, 0, False), (1, 0, False)))
        found: dict[Point, set[Position]] = {}
        todo = [self.walker.start(known=False)]
        seen = set(todo)
        while todo:
            for point, positions in self.walker.advance(frozenset([todo.pop()]), free).items():
                for p in positions:
                    q = p._replace(raced=False)
                    found.setdefault(point, set()).add(q)
                    if q not in seen:
                        seen.add(q)
                        todo.append(q)
        return {point: frozenset(ps) for point, ps in found.items()}

    def _compute(self, row: Row, symbol: int) -> tuple[Row, int]:
        self.step_count += 1
        seen = unpack(symbol)
        state = self._back[id(row)]
        codes = [NOTHING] * len(ASPECTS)
        words = [""] * len(ASPECTS)
        if seen.event in self.absent | self.ignored:
            if seen.event in self.absent:
                codes[0], words[0] = DIVERGED, ABSENT_FUNCTION
            step = (row, self._number(Outcome(tuple(codes), tuple(words))))
            row[symbol] = step
            return step
        point = self.points[seen.event]
        after: dict[Point, set[Position]] = {}
        if state:
            after = self.walker.advance(state, self._inputs(seen))
        found = after.get(point, set())
        if state:
            codes[0] = COMPARED if found else DIVERGED
            if found and all(p.raced for p in found):
                codes[0] = WIDENED
            if self.walker.shows_restore and _loads(state):
                # Behind the head of a load: whether it restores the CSRs; told once.
                codes[-1] = OPEN if len(after) > 1 and found else codes[0]
                codes[0] = NOTHING if codes[0] == DIVERGED else codes[0]
                words[-1] = " or ".join(sorted({_point_words(p) for p in after})) or "nothing"
            if not found:
                words[0] = " or ".join(sorted({_point_words(p) for p in after})) or "nothing"
        if found:
            if codes[0] == WIDENED:
                found = {p._replace(raced=False) for p in found}
            choices = self._woken(found, seen, point)
            kept = self._compare(choices, seen, codes, words)
            kept = {p for p in kept if not p.raced} or kept
        else:
            kept = set(self._anywhere.get(point, frozenset()))
            kept = _agreeing(kept, seen) or kept
        new = frozenset(self._observed(p, seen, point) for p in kept)
        irqs, preempt = self._context(kept, point)
        outcome = Outcome(tuple(codes), tuple(words), irqs, preempt)
        step = (self._row(new), self._number(outcome))
        row[symbol] = step
        return step

    def _observed(self, p: Position, seen: Seen, point: Point) -> Position:
        """``p`` with what was seen, for the step that follows."""
        p = _observe(p, seen)
        mem = list(p.mem)
        mem[FORMER] = mem[LAST_EXIT] = None
        if point == LOAD:
            former = {FORMER_OWN: self.walker.former, FORMER_OTHER: STRANGER}
            mem[FORMER] = former.get(seen.former)
            mem[LAST_EXIT] = _EXIT_VALUE[seen.last_exit]
        return p._replace(mem=tuple(mem))

    def _inputs(self, seen: Seen) -> Inputs:
        stay = [(1, 0, False)]
        leave = [(0, 0, False)] + ([(1, 1, False)] if self.walker.delayed_dequeue else [])
        if seen.out == RUNNABLE:
            out = stay
        elif seen.out == BLOCKED:
            out = leave
        elif seen.out == BLOCKED_OR_SIGNAL:
            out = [*leave, (1, 0, True)]
        else:
            out = [*leave, *stay]
        return Inputs(tuple(out), seen.moved, seen.returned)

    def _woken(self, found: set[Position], seen: Seen, point: Point) -> set[Position]:
        """``found``, and each with what kvm_vcpu_wake_up() leaves where one may have come."""
        woken = set()
        for p in found:
            for effect in self.walker.wakes:
                if effect[READY] is not None:
                    mem = tuple(m if e is None else e for m, e in zip(p.mem, effect, strict=True))
                    woken.add(p._replace(mem=_keep(mem, p.mem)))
        expected = seen.woken if point == ("kvm_sched_in", "entry") else 0
        if expected == STORED:
            return woken or found
        if expected == WOKEN:
            return woken | {p._replace(raced=True) for p in found}
        if expected == MAYBE_WOKEN:
            return woken | found
        return found | ({p._replace(raced=True) for p in woken} if seen.late else set())

    def _compare(
        self, choices: set[Position], seen: Seen, codes: list[int], words: list[str]
    ) -> set[Position]:
        # One aspect after the other, each given those before it, so that pairs count too.
        for i, name in enumerate(FLAGS):
            if seen.flags[i] != ABSENT:
                choices = self._judge(choices, i, seen.flags[i], i + 1, codes, words, name)
        if seen.cpu != CPU_ABSENT:
            value = _CPU_VALUE[seen.cpu]
            choices = self._judge(choices, CPU, value, len(FLAGS) + 1, codes, words, "cpu")
        if seen.dirty != ABSENT and self.walker.former is not None:
            at = len(FLAGS) + 2
            choices = self._judge(choices, DIRTY, seen.dirty, at, codes, words, "csr_dirty")
        return choices

    def _judge(
        self, choices: set[Position], var: int, value: int, at: int,
        codes: list[int], words: list[str], name: str,
    ) -> set[Position]:  # fmt: skip
        plain = {p.mem[var] for p in choices if not p.raced}
        wide = {p.mem[var] for p in choices if p.raced}
        agree = {p for p in choices if p.mem[var] in (value, None)}
        if not agree:
            codes[at] = DIVERGED
            words[at] = " or ".join(sorted(_value_words(name, v) for v in plain | wide))
            return choices
        if None in plain or (value in plain and len(plain) > 1):
            codes[at] = OPEN
        elif value in plain:
            codes[at] = COMPARED
        else:
            codes[at] = WIDENED
            words[at] = " or ".join(sorted(_value_words(name, v) for v in plain))
            return {p._replace(raced=False) for p in agree}
        return agree

    def _context(self, kept: set[Position], point: Point) -> tuple[int, int]:
        if point in self.walker.others or not kept:
            return UNPREDICTED, UNPREDICTED
        irqs = {int(p.irqs_off) for p in kept}
        preempt = {int(p.preempt > 0) for p in kept}
        return (
            irqs.pop() if len(irqs) == 1 else UNPREDICTED,
            preempt.pop() if len(preempt) == 1 else UNPREDICTED,
        )

    def _row(self, state: State) -> Row:
        row = self._states.get(state)
        if row is None:
            row = self._states[state] = {}
            self._back[id(row)] = state
        return row

    def _number(self, outcome: Outcome) -> int:
        number = self._numbers.setdefault(outcome, len(self.outcomes))
        if number == len(self.outcomes):
            self.outcomes.append(outcome)
        return number


def _loads(state: State) -> bool:
    return all(p.frames[-1].fn == LOAD[0] and p.frames[-1].at == 0 for p in state)


def _keep(mem: tuple[Value, ...], old: tuple[Value, ...]) -> tuple[Value, ...]:
    # Of what a waker does only the flags reach the vCPU; the CPU and the task are the waker's.
    return (mem[PREEMPTED], mem[READY], *old[READY + 1 :])


def _agreeing(positions: set[Position], seen: Seen) -> set[Position]:
    return {
        p for p in positions
        if all(f in (ABSENT, p.mem[i]) or p.mem[i] is None for i, f in enumerate(seen.flags))
    }  # fmt: skip


def _observe(p: Position, seen: Seen) -> Position:
    """``p`` with what was seen in place of what was predicted, for the step that follows."""
    mem: list[Value] = list(p.mem)
    for i, value in enumerate(seen.flags):
        if value != ABSENT:
            mem[i] = value
    if seen.dirty != ABSENT:
        mem[DIRTY] = seen.dirty
    if seen.cpu == CPU_ABSENT:
        mem[CPU] = None if mem[CPU] == BEFORE else mem[CPU]
    elif seen.cpu == CPU_NONE:
        mem[CPU] = -1
    else:
        mem[CPU] = HERE if seen.cpu == CPU_HERE else OTHER
    assert len(mem) == len(VARS)
    return p._replace(mem=tuple(mem), raced=False, moved=False)


def _point_words(point: Point) -> str:
    return point[0] + ("" if point[1] == "entry" else " returns")


def _value_words(name: str, value: Value) -> str:
    if value is None:
        return "?"
    if name == "cpu":
        return CPU_WORDS.get(value, str(value))
    if name == "mode":
        return "OUTSIDE_GUEST_MODE" if value == 0 else "another mode"
    return str(value)

"""What an engine is asked, and what comes back: limits, violations, what was found."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ..machine.model import Machine
from ..machine.nodes import BEGINS
from .interp import Action
from .reduce import Reduction

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

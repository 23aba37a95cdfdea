"""What a reader gives: batches of undecoded records, in the order of each buffer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .metadata import Metadata, Missing
from .pages import I64, U8

Progress = Callable[[int, int], None]

# Pages decoded at a time: large enough that one NumPy step works on thousands of pages, small
# enough that the working set of a batch stays within a few caches' worth of memory.
BATCH_BYTES = 8 << 20


@dataclass(slots=True)
class Batch:
    """Records of one buffer: where each stands in ``data``, when and where it happened.

    ``ids`` are the recording's event numbers; ``seq`` counts events of the buffer from 0;
    ``cpu`` ``int16[n]``; ``time`` ``int64[n]`` ns (or ticks, see ``Trace.clock``). Where ``data``
    is a part of the source's arena, ``origin`` says which: it starts at that byte; else it is -1.
    """

    data: U8
    offset: I64
    size: I64
    time: I64
    cpu: NDArray[np.int16]
    ids: NDArray[np.uint16]
    seq: I64
    origin: int = -1


class Source(Protocol):
    """A recording whose records are binary and described by ``meta``."""

    file: str
    kind: str
    meta: Metadata

    def arena_bytes(self) -> int:
        """Memory that all records together take: 0 where they lie in the file as they are."""

    def data_bytes(self) -> int:
        """Length of all records together, unpacked, about."""

    def new_arena(self) -> U8 | None:
        """One array that holds every record, for ``iter_batches`` to fill; None: impossible."""

    def iter_batches(self, progress: Progress | None, arena: U8 | None) -> Iterator[Batch]:
        """Every record, buffer by buffer. What cannot be read goes to ``meta.missing``."""

    def task_name(self, pid: NDArray[np.int32], time: I64) -> NDArray[Any]:
        """Task names ``S<n>`` for each (pid, time)."""


@dataclass(slots=True)
class MissingLog:
    """Collects what is missing, each thing once, however often the file is read."""

    meta: Metadata
    file: str
    seen: set[tuple[str, int, int]] = field(default_factory=set)

    def add(self, kind: str, text: str, *, offset: int = -1, cpu: int = -1, **more: Any) -> None:
        """Add one :class:`Missing` unless the same place was reported before."""
        key = (kind + text, offset, cpu)
        if key in self.seen or len(self.seen) > 10_000:
            return
        self.seen.add(key)
        self.meta.missing.append(
            Missing(kind, text, file=self.file, offset=offset, cpu=cpu, **more)
        )


class NameTable:
    """Task names by pid: ``<...>`` where the recording has none."""

    __slots__ = ("_at", "_names")

    def __init__(self, names: dict[int, str]) -> None:
        # Pids are below 2^22 on Linux (PID_MAX_LIMIT); one table entry each, up to the largest.
        rows = sorted({0: "<idle>", **{p: n for p, n in names.items() if p < 1 << 22}}.items())
        self._names = np.array(["<...>", *(n.encode()[:16] for _, n in rows)], dtype="S16")
        self._at = np.zeros(rows[-1][0] + 2, dtype=np.int32)
        self._at[[p for p, _ in rows]] = np.arange(1, len(rows) + 1)

    def lookup(self, pid: NDArray[np.int32]) -> NDArray[Any]:
        """The names of a column of pids, as ``S16``."""
        at = self._at.take(pid, mode="clip")  # beyond the largest known one: "<...>"
        return self._names[at]

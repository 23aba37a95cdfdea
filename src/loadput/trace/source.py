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
    pid: NDArray[np.int32]
    origin: int = -1


class Source(Protocol):
    """A recording whose records are binary and described by ``meta``."""

    file: str
    kind: str
    meta: Metadata

    def arena_bytes(self) -> int:
        """Memory that all records together take: 0 where they lie in the file as they are."""

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


def names_by_pid(pid: NDArray[np.int32], names: dict[int, str]) -> NDArray[Any]:
    """Task names for a column of pids, ``<...>`` where the recording has none, as bytes."""
    rows = sorted({0: "<idle>", **names}.items())
    pids = np.array([p for p, _ in rows], dtype=np.int32)
    table = np.array([n.encode()[:16] for _, n in rows] + ["<...>"], dtype="S16")
    at = np.minimum(np.searchsorted(pids, pid), pids.size - 1)
    return table[np.where(pids[at] == pid, at, pids.size)]

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

# Pages walked at a time: large enough that Python's part does not count and that memory comes in
# large pages; less for many CPUs, whose batches are in memory side by side.
BATCH_BYTES = 4 << 20
ALL_BATCHES_BYTES = 64 << 20


@dataclass(slots=True)
class Batch:
    """Some records of one buffer, in its order.

    ``data`` holds what the addresses in ``records`` (:data:`.pages.RECORD`) point into; ``time``
    ``int64[n]`` is in ns (or ticks, see ``Trace.clock``).
    """

    data: U8
    time: I64
    records: NDArray[Any]


class Source(Protocol):
    """A recording whose records are binary and described by ``meta``."""

    file: str
    kind: str
    meta: Metadata

    @property
    def buffers(self) -> list[str]:
        """The names of the ring buffers that were recorded; the first one is the tracer's own."""

    def runs(self, progress: Progress | None) -> list[Iterator[Batch]]:
        """Every record: one iterator per buffer, each in the order of that buffer.

        They may be advanced in any order; a batch holds until the next one of its run. What
        cannot be read goes to ``meta.missing``.
        """

    def known_names(self) -> dict[int, str]:
        """The last name of each task, as far as the recording lists them."""

    def fill_names(self, pid: NDArray[np.int32], time: I64, out: NDArray[Any]) -> None:
        """Write the name of each (pid, time) to ``out``, ``S16``."""


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
        rows = sorted({0: "<idle>", **{p: n for p, n in names.items() if 0 <= p < 1 << 22}}.items())
        self._names = np.array(["<...>", *(n.encode()[:16] for _, n in rows)], dtype="S16")
        self._at = np.zeros(rows[-1][0] + 2, dtype=np.int32)
        self._at[[p for p, _ in rows]] = np.arange(1, len(rows) + 1)

    def fill(self, pid: NDArray[np.int32], out: NDArray[Any]) -> None:
        """Write the names of a column of pids to ``out``, ``S16``."""
        at = self._at.take(pid, mode="clip")  # beyond the largest known one: "<...>"
        self._names.take(at, mode="clip", out=out)

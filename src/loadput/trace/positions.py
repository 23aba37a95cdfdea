"""Where the records of each event stand, kept from one question to the next."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .pages import I64, RECORD, U8
from .source import Batch

# Bytes per record: its RECORD and its time; twice as much while they are put in order.
EACH_BYTES = 2 * (RECORD.itemsize + 8)
# Records of one event: (batch, times, records) of one CPU of a buffer after the other.
Cut = list[tuple[Batch, I64, Any]]


class Positions:
    """The records of a recording by event, CPU and time, as far as they fit into ``bound`` bytes.

    Some 50 ns per record find it; another question then touches its own records only.
    """

    def __init__(self, bound: int) -> None:
        self._left = bound
        # (run, times, records as rows of three numbers: NumPy moves those four times as fast)
        self._parts: list[tuple[int, I64, I64]] = []
        self._batches: dict[int, Batch] = {}
        self._time: I64 = np.empty(0, dtype=np.int64)
        self._records = np.empty(0, dtype=RECORD)
        # Where each (event, run, CPU) begins, and its first record's event.
        self._starts: I64 = np.empty(0, dtype=np.int64)
        self._numbers: I64 = np.empty(0, dtype=np.int64)
        self.fits = True

    def add(self, run: int, batch: Batch) -> None:
        """Keep the records of one more batch of ``run``, in the order of that run."""
        if not self.fits or not batch.time.size:
            return
        start = batch.data.ctypes.data
        if start not in self._batches:
            self._left -= _own_bytes(batch.data)
            self._batches[start] = Batch(batch.data, batch.time[:0], batch.records[:0])
        self._left -= EACH_BYTES * batch.time.size
        if self._left < 0:
            self.__init__(0)  # type: ignore[misc]
            self.fits = False
            return
        self._parts.append((run, batch.time.copy(), _as_numbers(batch.records).copy()))

    def finish(self) -> None:
        """Put what was added in order: by event, run, CPU, time."""
        if not self._parts:
            return
        run = np.concatenate([np.full(t.size, r, dtype=np.uint16) for r, t, _ in self._parts])
        time = np.concatenate([t for _, t, _ in self._parts])
        rows = np.concatenate([r for _, _, r in self._parts])
        self._parts.clear()
        unsorted = rows.view(RECORD).reshape(-1)
        # Sorted by its digits, the last one first: 16 bits are sorted by counting.
        cpu, number = np.ascontiguousarray(unsorted["cpu"]), np.ascontiguousarray(unsorted["id"])
        order = np.argsort(cpu, kind="stable")
        for digit in (run, number):
            order = order[np.argsort(digit[order], kind="stable")]
        self._time, self._records = time[order], rows[order].view(RECORD).reshape(-1)
        cpu, number, run = cpu[order], number[order], run[order]
        new = np.ones(time.size, dtype=np.bool_)
        new[1:] = (np.diff(cpu) != 0) | (number[1:] != number[:-1]) | (run[1:] != run[:-1])
        self._starts = np.append(np.flatnonzero(new), time.size)
        self._numbers = number[self._starts[:-1]].astype(np.int64)
        self._sort_runs(new)

    def _sort_runs(self, new: NDArray[np.bool_]) -> None:
        # A clock may run back within a buffer.
        back = np.flatnonzero((np.diff(self._time) < 0) & ~new[1:])
        for at in np.unique(np.searchsorted(self._starts, back, "right") - 1).tolist():
            low, high = int(self._starts[at]), int(self._starts[at + 1])
            order = np.argsort(self._time[low:high], kind="stable")
            self._time[low:high] = self._time[low:high][order]
            self._records[low:high] = self._records[low:high][order]

    def of(self, number: int) -> Cut:
        """The records of event ``number``, each part in the order of time."""
        out: Cut = []
        for at in np.flatnonzero(self._numbers == number).tolist():
            part = slice(int(self._starts[at]), int(self._starts[at + 1]))
            out.append((next(iter(self._batches.values())), self._time[part], self._records[part]))
        return out

    @property
    def batches(self) -> list[Batch]:
        """What the records point into."""
        return list(self._batches.values())


def _as_numbers(records: NDArray[Any]) -> I64:
    return records.view(np.int64).reshape(-1, RECORD.itemsize // 8)


def _own_bytes(data: U8) -> int:
    # Memory that would be free without us; the pages of a mapped file are not.
    base: Any = data
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    base = base.obj if isinstance(base, memoryview) else base
    return 0 if isinstance(base, mmap.mmap) else data.nbytes

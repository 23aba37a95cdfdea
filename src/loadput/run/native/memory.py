"""The memory of a search: states, parents, and a table that grows in order."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable
from pathlib import Path

from ...base.errors import LoadputError

NORESERVE = 0x4000
HUGE = 2 << 20
SLACK = 65_536
"""Entries behind the table, so that probing never wraps."""
START = 1 << 16
FULL_RATIO = 0.8
GROWTH = 1.55
QUICK = 1 << 22
STEP = 1 << 22
MOST_STATES = (1 << 32) - 2


class Region:
    """Zeroed memory that is taken from the system when it is first touched."""

    def __init__(self, size: int) -> None:
        self.size = -(-max(size, 1) // HUGE) * HUGE
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE
        try:
            self.map = mmap.mmap(-1, self.size, flags=flags)
        except (OSError, ValueError) as e:
            raise LoadputError(
                "LP0702",
                f"cannot reserve {self.size >> 20} MiB of address space",
                got=str(e),
                next="give a smaller --max-memory",
            ) from None
        if hasattr(mmap, "MADV_HUGEPAGE"):
            self.map.madvise(mmap.MADV_HUGEPAGE)
        self._view = ctypes.c_char.from_buffer(self.map)
        self.at = ctypes.addressof(self._view)

    def drop(self, below: int) -> None:
        """Give back what lies below offset ``below``."""
        below = below // HUGE * HUGE
        if below:
            self.map.madvise(mmap.MADV_DONTNEED, 0, below)

    def close(self) -> None:
        del self._view
        self.map.close()


def available_bytes() -> int:
    """What this process may take: of the machine, or of its control group."""
    out = 1 << 33
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                out = int(line.split()[1]) << 10
        group = Path("/sys/fs/cgroup")
        most = (group / "memory.max").read_text().strip()
        if most.isdigit():
            used = int((group / "memory.current").read_text())
            out = min(out, int(most) - used)
    except (OSError, ValueError):
        pass
    return max(out, 1 << 26)


class Memory:
    """States of ``words`` words in one region per thread, under one bound of bytes.

    The number of a state is thread << ``shift`` plus its place in the region.
    """

    def __init__(self, words: int, threads: int, bound: int) -> None:
        self.words, self.threads, self.bound = words, threads, bound
        per_state = 8 * words + 4
        self.most = min(MOST_STATES >> (threads - 1).bit_length(), bound // per_state + SLACK)
        self.shift = max(1, (self.most - 1).bit_length())
        span = ((threads - 1) << self.shift) + self.most if threads > 1 else self.most
        self.states = Region(span * 8 * words)
        self.parents = Region(span * 4)
        self.size = START
        self.table = Region(8 * (self.size + SLACK))

    def first(self, thread: int) -> int:
        """The number of the first state of a thread."""
        return thread << self.shift

    def bytes(self, states: int) -> int:
        """What ``states`` states take, with their table."""
        return states * (8 * self.words + 4) + 8 * self.size

    def room(self, states: int) -> int:
        """How many more states fit before the table must grow, or the bound is met."""
        by_table = int(self.size * FULL_RATIO)
        by_bound = (self.bound - 8 * self.size) // (8 * self.words + 4)
        return max(0, min(by_table, by_bound, self.most - SLACK) - states)

    def grow(self, states: int, rehash: Callable[[int, int, int, int, int], None]) -> bool:
        """Enlarge the table; False where the bound does not allow it.

        The old table is given back piece by piece, so both never take more than the new one.
        """
        size = self.size * 4 if self.size < QUICK else int(self.size * GROWTH)
        per_state = 8 * self.words + 4
        best = int(self.bound / (per_state * FULL_RATIO + 8))
        size = min(size, best, MOST_STATES)
        if size * FULL_RATIO < states * 1.02 + 4096 or size <= self.size:
            return False
        new = Region(8 * (size + SLACK))
        total = self.size + SLACK
        for at in range(0, total, STEP):
            rehash(self.table.at, at, min(at + STEP, total), new.at, size)
            self.table.drop(8 * min(at + STEP, total))
        self.table.close()
        self.table, self.size = new, size
        return True

    def close(self) -> None:
        """Give everything back."""
        for r in (self.states, self.parents, self.table):
            r.close()

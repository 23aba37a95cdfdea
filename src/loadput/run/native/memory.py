"""The memory of a search: states, parents, and a table that grows where it is.

Its entries stand in the order of their tags, whatever its size, so growing moves each entry up:
from the top, block by block, without a second table.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable
from pathlib import Path

from ...base.errors import LoadputError

NORESERVE = 0x4000
HUGE = 2 << 20
SLACK = 65_536
"""States and lines more than asked for: what is under way when room ends, and the last overflow."""
START = 1 << 13
"""Lines of eight entries that a table has at first."""
FULL_RATIO = 0.7
GROWTH = 1.36
QUICK = 1 << 19
BLOCK = 1 << 15
"""Lines that move at once; far more than an entry ever stands from its home."""
MOST_STATES = (1 << 32) - 2
Rehash = Callable[[int, int, int, int, int], None]


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
        self.lines = START
        self.most_lines = max(START, int(bound / (per_state * FULL_RATIO + 8) / 8))
        self.table = Region(64 * (self.most_lines + SLACK))

    def first(self, thread: int) -> int:
        """The number of the first state of a thread."""
        return thread << self.shift

    def bytes(self, states: int) -> int:
        """What ``states`` states take, with their table."""
        return states * (8 * self.words + 4) + 64 * self.lines

    def room(self, states: int, largest: int) -> int:
        """How many more states fit before the table must grow, or the bound is met.

        :param largest: states in the fullest region
        """
        by_table = int(8 * self.lines * FULL_RATIO)
        by_bound = (self.bound - 64 * self.lines) // (8 * self.words + 4)
        return max(0, min(by_table - states, by_bound - states, self.most - SLACK - largest))

    def grow(self, states: int, rehash: Rehash) -> bool:
        """Enlarge the table; False where the bound does not allow it."""
        lines = self.lines * 4 if self.lines < QUICK else int(self.lines * GROWTH)
        lines = min(lines, self.most_lines)
        if 8 * lines * FULL_RATIO < states * 1.02 + 4096 or lines < self.lines * 1.02:
            return False
        block = (ctypes.c_uint64 * (8 * BLOCK))()
        spare = ctypes.addressof(block)
        filled = (ctypes.c_uint8 * (lines + SLACK))()
        top = -(-(self.lines + SLACK) // BLOCK)
        for k in range(top - 1, -1, -1):
            n = min(BLOCK, self.lines + SLACK - k * BLOCK)
            at = self.table.at + 64 * BLOCK * k
            ctypes.memmove(spare, at, 64 * n)
            ctypes.memset(at, 0, 64 * n)
            rehash(self.table.at, spare, 8 * n, lines, ctypes.addressof(filled))
        self.lines = lines
        return True

    def close(self) -> None:
        """Give everything back."""
        for r in (self.states, self.parents, self.table):
            r.close()

"""Ring buffer pages to event positions and times (``loops.walk_pages``), with what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .machine import find_loop

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

# One event: the address of its first field, its position in its CPU's buffer, its length in bytes,
# the recording's number of the event, the CPU. Written by ``loops.walk_pages``.
RECORD = np.dtype([("at", "<i8"), ("seq", "<i8"), ("size", "<u4"), ("id", "<u2"), ("cpu", "<i2")])
# Where a recording has several buffers, the number of the buffer stands above the position in it.
BUFFER_SHIFT = 48
# An event with its header has 12 bytes or more, most have twice that; room is made for the latter
# first.
USUAL_EVENT_BYTES, LEAST_EVENT_BYTES = 24, 12

# struct buffer_data_page: the bits above the length in ``commit``.
COMMIT_MASK = (1 << 27) - 1
MISSED_EVENTS, MISSED_STORED = 1 << 31, 1 << 30


@dataclass(slots=True)
class PageEvents:
    """The events of a run of pages, in buffer order.

    ``time`` ``int64[n]`` clock units, ``records`` :data:`RECORD` ``[n]``. ``missed`` are ``(page,
    count)`` with count -1 where the kernel did not store it; ``bad`` are ``(page, byte, what)``:
    the rest of that page is dropped; ``short`` is ``(count, byte of the first)`` of records that
    are too short for an event's header and were left out.
    """

    time: I64
    records: NDArray[Any]
    missed: list[tuple[int, int]]
    bad: list[tuple[int, int, str]]
    short: tuple[int, int]


def new_block(size: int) -> U8:
    """Undecided memory that starts and ends on a large page of the system.

    NumPy asks for large pages from 4 MB on; the pages at either end that are no whole ones would
    be handed out by 4 KiB, which costs more than what is then written there.
    """
    if size < _LARGE_PAGE:
        return np.empty(size, dtype=np.uint8)
    whole = np.empty(size + 2 * _LARGE_PAGE, dtype=np.uint8)
    start = -whole.ctypes.data % _LARGE_PAGE
    return whole[start : start + size]


_LARGE_PAGE = 2 << 20


class Room:
    """Arrays for the events of one batch after another: fresh memory costs as much as the walk."""

    __slots__ = ("records", "time")

    def __init__(self) -> None:
        self.time = np.empty(0, dtype=np.int64)
        self.records = np.empty(0, dtype=RECORD)

    def reserve(self, events: int) -> None:
        """Make room for ``events``; what was there is lost."""
        if events > self.time.size:
            times, records = events * 8, events * RECORD.itemsize
            block = new_block(times + records)
            self.time = block[:times].view(np.int64)
            self.records = block[times:].view(RECORD)


def walk_pages(
    data: U8,
    page_bytes: int,
    header_bytes: int = 16,
    *,
    cpu: int = 0,
    seq: int = 0,
    room: Room | None = None,
) -> PageEvents:
    """Find every event of ``data``, whole pages of ``page_bytes`` each.

    Never reads outside a page and always ends: each step moves at least one word on, and a
    chain that leaves its page's committed length is cut there and reported in ``bad``.

    :param data: ``uint8[pages * page_bytes]``, C order; records point into it
    :param page_bytes: sub-buffer size in bytes, a multiple of 8
    :param header_bytes: where the entries start in a page
    :param seq: position of the first event in its CPU's buffer
    :param room: where the events go; they hold until it is used again
    :return: see :class:`PageEvents`
    """
    pages = data.size // page_bytes
    heads = data[: pages * page_bytes].view("<u8").reshape(pages, page_bytes // 8)
    commits = heads[:, 1].astype(np.int64)
    sizes = commits & COMMIT_MASK
    bad: list[tuple[int, int, str]] = []
    most = page_bytes - header_bytes
    for page in np.flatnonzero(sizes > most).tolist():
        bad.append((page, page * page_bytes + 8, f"commit of {int(sizes[page])} bytes"))
    sizes = np.where(sizes > most, 0, sizes)
    missed = _find_missed(data, commits, sizes, page_bytes, header_bytes)
    room = room or Room()
    start, count = data.ctypes.data, -1
    for each in (USUAL_EVENT_BYTES, LEAST_EVENT_BYTES):
        room.reserve(int(sizes.sum()) // each + 1)
        status = np.zeros(pages + 2, dtype=np.int64)
        count = find_loop("walk_pages")(
            start, pages, page_bytes, header_bytes, sizes.ctypes.data, cpu, seq,
            room.time.ctypes.data, room.records.ctypes.data, room.time.size, status.ctypes.data,
        )  # fmt: skip
        if count >= 0:
            break
    for page in np.flatnonzero(status[:-2]).tolist():
        bad.append((page, int(status[page]) - start, "an entry longer than its page"))
    short = int(status[-2]), int(status[-1]) - start
    return PageEvents(room.time[:count], room.records[:count], missed, bad, short)


def _find_missed(
    data: U8, commits: I64, sizes: I64, page_bytes: int, header_bytes: int
) -> list[tuple[int, int]]:
    missed = []
    for page in np.flatnonzero(commits & MISSED_EVENTS).tolist():
        count = -1
        at = page * page_bytes + header_bytes + int(sizes[page])
        if int(commits[page]) & MISSED_STORED and at + 8 <= (page + 1) * page_bytes:
            count = int.from_bytes(data[at : at + 8].tobytes(), "little")
        missed.append((page, count if count < 1 << 48 else -1))
    return missed

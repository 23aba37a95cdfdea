"""Ring buffer pages to event positions and times, all pages of a batch in lockstep.

A page is a chain: each entry's length says where the next one starts, so one page cannot be
cut up in parallel, but a thousand pages can. Step k visits entry k of every page at once. The
rules are the kernel's (``struct ring_buffer_event``): a 32-bit word with 5 bits of type or
length and 27 bits of time delta.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

TYPE_PADDING, TYPE_EXTEND, TYPE_STAMP = 29, 30, 31
TS_SHIFT = 27
# struct buffer_data_page: the bits above the length in ``commit``.
COMMIT_MASK = (1 << 27) - 1
MISSED_EVENTS, MISSED_STORED = 1 << 31, 1 << 30
# An absolute stamp has 59 bits; the five above come from the page's own clock.
STAMP_MSB = 0xF8 << 56


@dataclass(slots=True)
class PageEvents:
    """The events of a run of pages, in buffer order.

    ``offset`` ``int64[n]`` is the byte of each record's first field in the given data,
    ``size`` ``int64[n]`` its length in bytes, ``time`` ``int64[n]`` clock units, ``page``
    ``int64[n]`` the page index. ``missed`` are ``(page, count)`` with count -1 where the kernel
    did not store it; ``bad`` are ``(page, byte, what)``: the rest of that page is dropped.
    """

    offset: I64
    size: I64
    time: I64
    page: I64
    missed: list[tuple[int, int]]
    bad: list[tuple[int, int, str]]


def walk_pages(data: U8, page_bytes: int, header_bytes: int = 16) -> PageEvents:
    """Find every event of ``data``, whole pages of ``page_bytes`` each.

    Never reads outside a page and always ends: each step moves at least one word on, and a
    chain that leaves its page's committed length is cut there and reported in ``bad``.

    :param data: ``uint8[pages * page_bytes]``, C order
    :param page_bytes: sub-buffer size in bytes, a multiple of 8
    :param header_bytes: where the entries start in a page
    :return: see :class:`PageEvents`
    Cost: O(longest page) NumPy steps over all pages. Deterministic.
    """
    pages = data.size // page_bytes
    words = data[: pages * page_bytes].view("<u4")
    heads = data[: pages * page_bytes].view("<u8").reshape(pages, page_bytes // 8)
    stamps, commits = heads[:, 0], heads[:, 1].astype(np.int64)
    sizes = commits & COMMIT_MASK
    bad: list[tuple[int, int, str]] = []
    room = page_bytes - header_bytes
    for page in np.flatnonzero(sizes > room).tolist():
        bad.append((page, page * page_bytes + 8, f"commit of {int(sizes[page])} bytes"))
    sizes = np.where(sizes > room, 0, sizes)
    missed = _find_missed(data, commits, sizes, page_bytes, header_bytes)
    start = np.arange(pages, dtype=np.int64) * (page_bytes // 4) + header_bytes // 4
    mark = _mark_entries(words, start, start + (sizes + 3) // 4, bad, page_bytes)
    return _decode_entries(words, mark, stamps, page_bytes, missed, bad)


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


# Words to the next entry by type_len; 0 where the length is not in the first word.
_STEP = np.array([0, *range(2, 30), 0, 0, 0], dtype=np.int64)


def _mark_entries(
    words: NDArray[np.uint32],
    start: I64,
    end: I64,
    bad: list[tuple[int, int, str]],
    page_bytes: int,
) -> NDArray[np.bool_]:
    mark = np.zeros(words.size, dtype=np.bool_)
    live = start < end
    pos, stop = start[live], end[live]
    while pos.size:
        mark[pos] = True
        kind = words.take(pos) & 31
        step = _STEP.take(kind)
        if not step.all():
            odd = np.flatnonzero(step == 0)
            step[odd] = _odd_steps(words, pos[odd], stop[odd], kind[odd].astype(np.int64))
        new = pos + step
        go = new < stop
        if go.all():
            pos = new
            continue
        for at in pos[new > stop].tolist():
            mark[at] = False
            bad.append((at * 4 // page_bytes, at * 4, "an entry longer than its page"))
        pos, stop = new[go], stop[go]
    return mark


def _odd_steps(words: NDArray[np.uint32], pos: I64, stop: I64, kind: I64) -> I64:
    # Words to the next entry for the kinds whose length is not in the first word.
    first = words[pos]
    has_second = pos + 1 < stop
    second = words[np.where(has_second, pos + 1, pos)].astype(np.int64)
    step = np.full(pos.size, 2, dtype=np.int64)
    step = np.where(kind == 0, 1 + np.maximum((second + 3) // 4, 1), step)
    padding = kind == TYPE_PADDING
    step = np.where(padding, 1 + (second + 3) // 4, step)
    step = np.where(padding & (first >> 5 == 0), stop - pos, step)
    return np.where(has_second | (step == stop - pos), step, np.int64(1 << 40))


def _decode_entries(
    words: NDArray[np.uint32],
    mark: NDArray[np.bool_],
    stamps: NDArray[np.uint64],
    page_bytes: int,
    missed: list[tuple[int, int]],
    bad: list[tuple[int, int, str]],
) -> PageEvents:
    pos = np.flatnonzero(mark)
    head: NDArray[np.uint32] = words[pos]
    kind: NDArray[np.uint32] = (head & 31).astype(np.uint32)
    page = pos // (page_bytes // 4)
    if page_bytes & (page_bytes - 1) == 0:
        page = pos >> ((page_bytes // 4).bit_length() - 1)
    time = _entry_times(words, pos, head, kind, page, stamps)
    keep = kind < TYPE_PADDING
    if not keep.all():
        pos, kind, page, time = pos[keep], kind[keep], page[keep], time[keep]
    long = kind == 0
    offset = (pos + 1) * 4
    size = kind.astype(np.int64) * 4
    if long.any():
        offset[long] += 4
        size[long] = np.maximum(words[pos[long] + 1].astype(np.int64) - 4, 0)
    return PageEvents(offset, size, time.view(np.int64), page, missed, bad)


def _entry_times(
    words: NDArray[np.uint32],
    pos: I64,
    head: NDArray[np.uint32],
    kind: NDArray[np.uint32],
    page: I64,
    stamps: NDArray[np.uint64],
) -> NDArray[np.uint64]:
    # A running sum of deltas, restarted at each page and at each absolute stamp.
    delta = (head >> 5).astype(np.uint64)
    if not pos.size:
        return delta
    # A pad with delta 1 filled a page; another one is a discarded event whose time did pass
    # (as the kernel's own checker, check_buffer() in kernel/trace/ring_buffer.c, counts it).
    delta[(kind == TYPE_PADDING) & (delta == 1)] = 0
    wide = np.flatnonzero((kind == TYPE_EXTEND) | (kind == TYPE_STAMP))
    if wide.size:
        delta[wide] += words[pos[wide] + 1].astype(np.uint64) << np.uint64(TS_SHIFT)
    first = np.empty(pos.size, dtype=np.bool_)
    first[0] = True
    np.not_equal(page[1:], page[:-1], out=first[1:])
    absolute = kind == TYPE_STAMP
    restart = first | absolute
    base = stamps[page[restart]]
    is_stamp = absolute[restart]
    if is_stamp.any():
        at = np.flatnonzero(restart)[is_stamp]
        base[is_stamp] = delta[at] | (base[is_stamp] & np.uint64(STAMP_MSB))
        delta[at] = 0
    total = np.cumsum(delta, dtype=np.uint64)
    before = total[restart] - delta[restart]
    segment = np.cumsum(restart) - 1
    out: NDArray[np.uint64] = total + (base - before)[segment]
    return out

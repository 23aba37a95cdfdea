"""The chain of perf.data records, followed in many places at once.

Each record's size says where the next one starts. The chain is entered by guess once per block of
the file, at the first place that looks like a sample, and all blocks are followed in lockstep. The
guess is proved, not trusted: the chain of each block must arrive exactly where the next block was
entered. Where one does not, None is returned and the caller follows the chain step by step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..pages import I64, U8

SAMPLE = 9
# Words of 8 bytes per block: enough records that the guess is a small part of the work.
BLOCK_WORDS = 2048
# How far into a block a sample is looked for.
WINDOW_WORDS = 96
# Types above this are none of perf's.
MAX_TYPE = 128


def find_records(data: U8, start: int, end: int) -> I64 | None:
    """Return the byte offsets of all records in ``data[start:end]``, in order.

    None where the chain cannot be proved: records not on 8 bytes, foreign data in between, a
    size that makes no sense, or a stretch too short to be worth it.
    """
    words = (end - start) // 8
    if (end - start) % 8 or words < 4 * BLOCK_WORDS:
        return None
    view = data[start:end]
    sizes = np.ascontiguousarray(view.view("<u2")[3::4])
    kinds = view.view("<u4")[::2]
    entry = _enter_blocks(sizes, kinds, words)
    return _follow(sizes, entry, words, start)


def _enter_blocks(sizes: NDArray[np.uint16], kinds: NDArray[np.uint32], words: int) -> I64:
    # One entry per block in which a sample was found, the true start first.
    first = np.arange(BLOCK_WORDS, words - 2 * WINDOW_WORDS, BLOCK_WORDS, dtype=np.int64)
    at = first[:, None] + np.arange(WINDOW_WORDS)
    looks = (kinds[at] == SAMPLE) & (sizes[at] >= 24) & (sizes[at] % 8 == 0)
    after = np.minimum(at + sizes[at] // 8, words - 1)
    looks &= (kinds[after] <= MAX_TYPE) & (kinds[after] > 0)
    looks &= (sizes[after] >= 8) & (sizes[after] % 8 == 0)
    found = looks.any(axis=1)
    entry = first[found] + looks.argmax(axis=1)[found]
    return np.concatenate([np.zeros(1, dtype=np.int64), entry])


def _follow(sizes: NDArray[np.uint16], entry: I64, words: int, start: int) -> I64 | None:
    mark = np.zeros(words, dtype=np.bool_)
    stop = np.concatenate([entry[1:], [words]])
    pos, live = entry.copy(), np.arange(entry.size)
    here, limit = pos, stop
    while here.size:
        mark[here] = True
        size = sizes.take(here)
        if (size < 8).any() or (size & 7).any():
            return None
        here = here + (size >> 3)
        go = here < limit
        if not go.all():
            pos[live[~go]] = here[~go]
            here, limit, live = here[go], limit[go], live[go]
    if (pos != stop).any():
        return None
    found: I64 = np.flatnonzero(mark) * 8 + start
    return found

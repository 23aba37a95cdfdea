"""Where the pages of a cut trace.dat stand, when the options that say so are gone."""

from __future__ import annotations

import itertools
import struct

import numpy as np

from ..cursor import Buffer
from .packing import Unpacker

SECTION_BUFFER = 3
COMPRESSED = 1


def find_sections(data: Buffer, pos: int) -> list[tuple[int, int, int]]:
    """Return (number, offset, flags) of the sections that follow each other from ``pos``.

    Ends at the pages (section 3), or where a header is no section.
    """
    out = []
    while pos + 16 <= len(data):
        number, flags, _, size = struct.unpack_from("<HHIQ", data, pos)
        if number > 64:
            break
        out.append((number, pos, flags))
        if number == SECTION_BUFFER:
            break
        pos += 16 + size
    return out


def find_buffers(
    data: Buffer, start: int, flags: int, page_bytes: int, unpacker: Unpacker
) -> list[tuple[int, int]]:
    """Return (offset, size) of each CPU's data behind the header of a buffer section.

    Packed data tells its own length. Bare pages do not: a new CPU starts where the clock of a
    page is behind that of the page before.
    """
    pos = -(-start // page_bytes) * page_bytes
    out = []
    if flags & COMPRESSED:
        while pos + 4 < len(data):
            size, _ = unpacker.measure(data, pos)
            if size <= 4:
                break
            out.append((pos, size))
            pos = -(-(pos + size) // page_bytes) * page_bytes
        return out
    pages = (len(data) - pos) // page_bytes
    if pages <= 0:
        return []
    stamps = np.frombuffer(data, np.uint8, pages * page_bytes, pos).view("<u8")
    stamps = stamps.reshape(pages, page_bytes // 8)[:, 0]
    edges = [0, *(np.flatnonzero(stamps[1:] < stamps[:-1]) + 1).tolist(), pages]
    for low, high in itertools.pairwise(edges):
        out.append((pos + low * page_bytes, (high - low) * page_bytes))
    return out

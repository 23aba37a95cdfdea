"""Compressed sections and chunks of trace.dat version 7."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from loadput.base.errors import TraceError

from ..cursor import MAX_SECTION_BYTES, Buffer, Cursor, fail
from ..pages import U8, new_block
from ..source import MissingLog

KNOWN = ("none", "zlib", "zstd")
MAX_CHUNK_BYTES = 64 << 20


class Unpacker:
    """Unpacks what the file's own compression header names: none, zlib or zstd."""

    __slots__ = ("_zstd", "name")

    def __init__(self, name: str, version: str = "", file: str = "", offset: int = 0) -> None:
        if name not in KNOWN:
            fail(
                "LP0606",
                "unknown compression",
                file=file,
                offset=offset,
                section="compression header",
                got=f"{name!r} {version}",
                expected=", ".join(KNOWN),
            )
        self.name = name
        self._zstd: Any = None

    def unpack(self, cur: Cursor, packed: int, plain: int) -> bytes:
        """Read ``packed`` bytes at ``cur`` and return the ``plain`` bytes they hold.

        :raises TraceError: LP0601 truncated, LP0603 damaged or of another length
        """
        at = cur.pos
        data = cur.blob(packed, "compressed data")
        try:
            out = self._unpack(data, plain)
        except (zlib.error, ValueError) as why:
            cur.pos = at
            cur.fail(
                f"damaged {self.name} data",
                got=str(why) or "no valid frame",
                expected=f"{plain} bytes from {packed}",
                code="LP0603",
            )
        if len(out) != plain:
            cur.pos = at
            cur.fail(
                f"{self.name} data of another length",
                got=f"{len(out)} bytes",
                expected=f"{plain} bytes",
                code="LP0603",
            )
        return out

    def _unpack(self, data: bytes, plain: int) -> bytes:
        if self.name == "none":
            return data
        if self.name == "zlib":
            return zlib.decompressobj().decompress(data, plain + 1)
        import zstandard

        try:  # a reader never allocates by the frame's own size, which may lie
            return bytes(self._decompressor().stream_reader(data).read(plain + 1))
        except zstandard.ZstdError as why:
            raise ValueError(str(why)) from why

    def _decompressor(self) -> Any:
        if self._zstd is None:
            import zstandard

            self._zstd = zstandard.ZstdDecompressor()
        return self._zstd

    def iter_chunks(
        self, cur: Cursor, log: MissingLog, cpu: int, batch_bytes: int
    ) -> Iterator[tuple[U8, int]]:
        """Yield (unpacked pages, file offset of their first chunk), about ``batch_bytes`` each.

        A chunk that cannot be unpacked is left out and noted; the rest is read on.
        """
        start, pile = cur.offset, Pile(batch_bytes)
        try:
            for _ in range(cur.u32("number of chunks")):
                if not pile.used:
                    start = cur.offset
                self._next_chunk(cur, pile, log, cpu)
                if pile.used >= batch_bytes:
                    yield pile.finish(), start
        except TraceError as why:
            log.add(
                "truncated",
                f"CPU {cpu}: {why.what}",
                offset=cur.offset,
                cpu=cpu,
                section="buffer flyrecord",
                expected=why.expected or "",
            )
        if pile.used:
            yield pile.finish(), start

    def _next_chunk(self, cur: Cursor, pile: Pile, log: MissingLog, cpu: int) -> None:
        packed, plain = cur.u32("chunk size"), cur.u32("unpacked chunk size")
        if plain > MAX_CHUNK_BYTES or packed > MAX_SECTION_BYTES:
            cur.fail("impossible chunk size", got=f"{packed} -> {plain}", expected="<= 64 MiB")
        at = cur.pos
        if packed > cur.end - cur.pos:
            cur.take(packed, "a chunk")
        try:
            if self.name == "zstd":
                self._unpack_into(cur, packed, plain, pile)
            else:
                pile.append(self.unpack(cur, packed, plain))
        except TraceError as why:
            log.add(
                "corrupt",
                f"CPU {cpu}: a chunk of {plain} bytes left out: {why.what}",
                offset=at,
                cpu=cpu,
                section="buffer flyrecord",
                expected=why.expected or "",
            )
            cur.pos = at + packed

    def _unpack_into(self, cur: Cursor, packed: int, plain: int, pile: Pile) -> None:
        import zstandard

        data = memoryview(cur.data)[cur.pos : cur.pos + packed]
        try:
            got = self._decompressor().stream_reader(data).readinto(pile.next(plain))
        except zstandard.ZstdError as why:
            cur.fail(
                "damaged zstd data",
                got=str(why),
                expected=f"{plain} bytes from {packed}",
                code="LP0603",
            )
        if got != plain:
            cur.fail(
                "zstd data of another length",
                got=f"{got} bytes",
                expected=f"{plain} bytes",
                code="LP0603",
            )
        pile.used += plain
        cur.pos += packed

    def measure(self, data: Buffer, pos: int) -> tuple[int, int]:
        """(file length, unpacked length) of the chunk list at ``pos``, while its sizes make
        sense."""
        start, whole = pos, 0
        if pos + 4 > len(data):
            return 0, 0
        (count,) = struct.unpack_from("<I", data, pos)
        pos += 4
        for _ in range(count):
            if pos + 8 > len(data):
                break
            packed, plain = struct.unpack_from("<II", data, pos)
            if not packed or plain > MAX_CHUNK_BYTES or not plain:
                break
            pos += 8 + packed
            whole += plain
        return min(pos, len(data)) - start, whole


class Pile:
    """Where unpacked pages gather until they make a batch."""

    __slots__ = ("_data", "_least", "used")

    def __init__(self, batch_bytes: int) -> None:
        self._least = batch_bytes
        self._data: U8 = np.empty(0, dtype=np.uint8)
        self.used = 0

    def next(self, size: int) -> U8:
        """The next ``size`` bytes, to write to."""
        need = self.used + size
        if need > self._data.size:
            grown = new_block(max(need, self._least + size))
            grown[: self.used] = self._data[: self.used]
            self._data = grown
        return self._data[self.used : need]

    def append(self, piece: bytes) -> None:
        """Add unpacked bytes."""
        self.next(len(piece))[:] = np.frombuffer(piece, np.uint8)
        self.used += len(piece)

    def finish(self) -> U8:
        """The pages so far; the next ones go to an array of their own."""
        run = self._data[: self.used]
        self._data, self.used = np.empty(0, dtype=np.uint8), 0
        return run

"""Compressed sections and chunks of trace.dat version 7."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from loadput.base.errors import TraceError

from ..cursor import MAX_SECTION_BYTES, Buffer, Cursor, fail
from ..pages import U8
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
        self._zstd: object = None

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

        if self._zstd is None:
            self._zstd = zstandard.ZstdDecompressor()
        try:
            frame = zstandard.get_frame_parameters(data)
            if frame.content_size != plain:
                # No size, or one that lies: never allocate by it.
                stream = zstandard.ZstdDecompressor().stream_reader(data)
                return bytes(stream.read(plain + 1))
            return bytes(self._zstd.decompress(data, max_output_size=plain))  # type: ignore[attr-defined]
        except zstandard.ZstdError as why:
            raise ValueError(str(why)) from why

    def iter_chunks(
        self, cur: Cursor, batch_bytes: int, log: MissingLog, cpu: int
    ) -> Iterator[tuple[U8, int]]:
        """Yield (unpacked pages, file offset of their first chunk), about ``batch_bytes`` each.

        A chunk that cannot be unpacked is left out and noted; the rest is read on.
        """
        parts: list[bytes] = []
        held, start, count = 0, cur.offset, 0
        try:
            count = cur.u32("number of chunks")
            for _ in range(count):
                if not parts:
                    start = cur.offset
                part = self._next_chunk(cur, log, cpu)
                if part:
                    parts.append(part)
                    held += len(part)
                if held >= batch_bytes:
                    yield np.frombuffer(b"".join(parts), np.uint8), start
                    parts, held = [], 0
        except TraceError as why:
            log.add(
                "truncated",
                f"CPU {cpu}: {why.what}",
                offset=cur.offset,
                cpu=cpu,
                section="buffer flyrecord",
                expected=why.expected or "",
            )
        if parts:
            yield np.frombuffer(b"".join(parts), np.uint8), start

    def _next_chunk(self, cur: Cursor, log: MissingLog, cpu: int) -> bytes:
        packed, plain = cur.u32("chunk size"), cur.u32("unpacked chunk size")
        if plain > MAX_CHUNK_BYTES or packed > MAX_SECTION_BYTES:
            cur.fail("impossible chunk size", got=f"{packed} -> {plain}", expected="<= 64 MiB")
        at = cur.pos
        if packed > cur.end - cur.pos:
            cur.take(packed, "a chunk")
        try:
            return self.unpack(cur, packed, plain)
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
            return b""

    def measure(self, data: Buffer, pos: int) -> int:
        """The file length of the chunk list at ``pos``, as far as its sizes make sense."""
        start = pos
        (count,) = struct.unpack("<I", bytes(data[pos : pos + 4]))
        pos += 4
        for _ in range(count):
            if pos + 8 > len(data):
                return len(data) - start
            packed, plain = struct.unpack("<II", bytes(data[pos : pos + 8]))
            if not packed or plain > MAX_CHUNK_BYTES or not plain:
                return pos - start
            pos += 8 + packed
        return min(pos, len(data)) - start

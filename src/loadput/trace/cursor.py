"""A bounds-checked cursor over a file: every short read is an error that names its place."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from loadput.base.errors import TraceError

if TYPE_CHECKING:
    from pathlib import Path

Buffer = bytes | mmap.mmap | memoryview

# A wrapped (xz, gz, zst) text or trace that unpacks to more is refused, not read into swap.
MAX_UNPACKED_BYTES = 8 << 30
# One metadata section (formats, kallsyms); the largest seen in a recording is 8 MB.
MAX_SECTION_BYTES = 256 << 20


_NEXT = {
    "LP0606": "let its own tool print it and read that text: `trace-cmd report -N FILE` for a "
    "trace.dat, `perf script -i FILE` for a perf.data"
}


def fail(
    code: str, what: str, *, file: str, offset: int, section: str, got: str, expected: str
) -> NoReturn:
    """Raise the one kind of read error: file, byte offset, section, value, expectation."""
    raise TraceError(
        code,
        what,
        where=f"{file} @ byte {offset} ({section})",
        got=got,
        expected=expected,
        next=f"{_NEXT.get(code, 'record again, or cut the file before this byte')}; "
        f"`loadput explain {code}`",
    )


class Cursor:
    """A position in ``data``; ``base`` is the file offset of ``data[0]`` for messages."""

    __slots__ = ("base", "data", "end", "file", "pos", "section")

    def __init__(
        self,
        data: Buffer,
        file: str,
        *,
        section: str = "header",
        base: int = 0,
        pos: int = 0,
        end: int | None = None,
    ) -> None:
        self.data = data
        self.file = file
        self.section = section
        self.base = base
        self.pos = pos
        self.end = len(data) if end is None else min(end, len(data))

    @property
    def offset(self) -> int:
        return self.base + self.pos

    def fail(self, what: str, *, got: str, expected: str, code: str = "LP0602") -> NoReturn:
        """Raise a :class:`TraceError` at this position."""
        fail(
            code,
            what,
            file=self.file,
            offset=self.offset,
            section=self.section,
            got=got,
            expected=expected,
        )

    def take(self, size: int, what: str) -> bytes:
        """The next ``size`` bytes, or a TraceError that says how many there are."""
        if size < 0 or size > self.end - self.pos:
            self.fail(
                f"truncated: {what} does not fit",
                got=f"{max(self.end - self.pos, 0)} bytes to the end",
                expected=f"{size} bytes of {what}",
                code="LP0601",
            )
        out = bytes(self.data[self.pos : self.pos + size])
        self.pos += size
        return out

    def skip(self, size: int, what: str) -> None:
        """Move on by ``size`` bytes, with the same check as :meth:`take`."""
        if size < 0 or size > self.end - self.pos:
            self.take(size, what)
        self.pos += size

    def seek(self, pos: int, what: str) -> None:
        """Go to ``pos`` (in ``data``); a TraceError where that is outside."""
        if not 0 <= pos <= self.end:
            self.fail(f"{what} points outside", got=f"offset {pos}", expected=f"0..{self.end}")
        self.pos = pos

    def u8(self, what: str) -> int:
        return self.take(1, what)[0]

    def u16(self, what: str) -> int:
        return int(struct.unpack("<H", self.take(2, what))[0])

    def u32(self, what: str) -> int:
        return int(struct.unpack("<I", self.take(4, what))[0])

    def u64(self, what: str) -> int:
        return int(struct.unpack("<Q", self.take(8, what))[0])

    def cstr(self, what: str, limit: int = 4096) -> str:
        """A NUL-terminated string of at most ``limit`` bytes."""
        window = bytes(self.data[self.pos : min(self.end, self.pos + limit)])
        stop = window.find(b"\0")
        if stop < 0:
            self.fail(
                f"{what} has no end",
                got=f"{len(window)} bytes without NUL",
                expected="a NUL-terminated string",
            )
        self.pos += stop + 1
        return window[:stop].decode("utf-8", "replace")

    def blob(self, size: int, what: str) -> bytes:
        """``take`` for a whole section, with a cap against sizes that lie."""
        if size > MAX_SECTION_BYTES:
            self.fail(
                f"{what} claims an impossible size",
                got=f"{size} bytes",
                expected=f"at most {MAX_SECTION_BYTES}",
            )
        return self.take(size, what)


def read_bytes(path: str | Path, progress: Callable[[int, int], None] | None = None) -> Buffer:
    """The bytes of ``path``: memory-mapped, or unpacked when it is xz, gz or zst.

    :raises TraceError: LP0600 no such file; LP0603 a damaged wrapper
    """
    name = str(path)
    try:
        handle = open(name, "rb")  # noqa: SIM115 (the map outlives this function)
    except OSError as why:
        raise TraceError(
            "LP0600", f"cannot open {name}: {why.strerror}", next="check the path"
        ) from why
    with handle:
        head = handle.read(8)
        handle.seek(0)
        if head.startswith((b"\xfd7zXZ\0", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")):
            return _unpack(handle, head, name)
        try:
            return mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        except (ValueError, OSError):  # empty file, pipe
            return handle.read()


def _unpack(handle: BinaryIO, head: bytes, name: str) -> bytes:
    import gzip
    import lzma
    import zlib

    import zstandard

    stream: Any
    if head.startswith(b"\xfd7zXZ\0"):
        stream = lzma.LZMAFile(handle)  # noqa: SIM115
    elif head.startswith(b"\x1f\x8b"):
        stream = gzip.GzipFile(fileobj=handle)
    else:
        stream = zstandard.ZstdDecompressor().stream_reader(handle)
    out = bytearray()
    try:
        while piece := stream.read(1 << 20):
            out += piece
            if len(out) > MAX_UNPACKED_BYTES:
                fail(
                    "LP0603",
                    "the wrapper unpacks to too much",
                    file=name,
                    offset=0,
                    section="compression",
                    got=f"more than {len(out)} bytes",
                    expected=f"at most {MAX_UNPACKED_BYTES}",
                )
    except (OSError, EOFError, lzma.LZMAError, zlib.error, zstandard.ZstdError) as why:
        if not out:
            fail(
                "LP0603",
                "the wrapper is damaged",
                file=name,
                offset=0,
                section="compression",
                got=str(why),
                expected="a whole xz, gz or zst stream",
            )
    return bytes(out)

"""What a recording says about itself: formats, symbols, task names, counters.

The same blocks stand in trace.dat version 6 (in a row), in version 7 (one section each) and in
the tracing-data part of perf.data, so they are read here once.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .cursor import Buffer, Cursor
from .fields import EventFormat, parse_event_format

_ID_LINE = re.compile(rb"^ID:\s*(\d+)", re.M)
_U64 = struct.Struct("<Q")
MAGIC = b"\x17\x08\x44tracing"


@dataclass(frozen=True, slots=True)
class Missing:
    """Something the recording lacks, so that no figure is read as more than it is.

    :param kind: ``lost`` (the kernel dropped events), ``truncated``, ``corrupt``, ``counter``
        (counts disagree), ``clock``
    :param count: how many events, -1 where the kernel did not say
    """

    kind: str
    text: str
    file: str = ""
    offset: int = -1
    section: str = ""
    expected: str = ""
    cpu: int = -1
    count: int = -1
    time_ns: int = -1

    def __str__(self) -> str:
        place = f" ({self.section} @ byte {self.offset})" if self.offset >= 0 else ""
        return f"{self.kind}: {self.text}{place}"


class FormatTable:
    """Event formats by event number, parsed when asked for: most files carry 2,000 of them."""

    __slots__ = ("_parsed", "_places")

    def __init__(self) -> None:
        self._places: dict[int, FormatPlace] = {}
        self._parsed: dict[int, EventFormat] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, number: int, place: FormatPlace) -> None:
        """Keep one format; the first one of a number counts."""
        self._places.setdefault(number, place)

    def items(self) -> list[tuple[int, bytes, str]]:
        """(event number, format text, system) of every format, in the order of the file."""
        return [(n, bytes(p[0][p[1] : p[2]]), p[3]) for n, p in self._places.items()]

    def get(self, number: int) -> EventFormat | None:
        """The format of event ``number``, None where the file has none.

        :raises TraceError: LP0604, a format that contradicts itself
        """
        if number not in self._parsed:
            if number not in self._places:
                return None
            self._parsed[number] = _parse(self._places[number])
        return self._parsed[number]


# One format, not read yet: data, its start and stop there, system, file, file offset of the data.
FormatPlace = tuple[Buffer, int, int, str, str, int]


def _parse(place: FormatPlace) -> EventFormat:
    data, start, stop, system, file, base = place
    text = bytes(data[start:stop]).decode("utf-8", "replace")
    return parse_event_format(text, system, where=f"{file} @ byte {base + start - 8}")


@dataclass(slots=True)
class Metadata:
    """The metadata of one recording; ``by_id`` maps an event number to its format."""

    by_id: FormatTable = field(default_factory=FormatTable)
    header_page: str = ""
    kallsyms: bytes | Callable[[], bytes] = b""
    cmdlines: dict[int, str] = field(default_factory=dict)
    printk: bytes = b""
    page_bytes: int = 4096
    long_bytes: int = 8
    clock: str = ""
    uname: str = ""
    tool: str = ""
    cpu_count: int = 0
    time_offset_ns: int = 0
    tsc: tuple[int, int] | None = None
    cpu_stats: dict[int, dict[str, float]] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)
    # Samples and lines that are no tracepoints (cpu-clock, function): how many of each.
    others: dict[str, int] = field(default_factory=dict)
    # Task -> its process, where the recording says so.
    processes: dict[int, int] = field(default_factory=dict)

    def add_format(self, place: FormatPlace) -> None:
        """Keep one format; its number is read now, its fields when the event is met."""
        number = _ID_LINE.search(place[0], place[1], place[2])
        if number is None or len(number[1]) > 9:
            _parse(place)  # says what is wrong with it
            return
        self.by_id.add(int(number[1]), place)


def read_initial(cur: Cursor, meta: Metadata) -> str:
    """Read magic, version, byte order, long size and page size; return the version.

    :raises TraceError: LP0602 wrong magic; LP0606 a byte order or word size not supported
    """
    magic = cur.take(len(MAGIC), "magic")
    if magic != MAGIC:
        cur.pos -= len(MAGIC)
        cur.fail("not a trace.dat header", got=repr(magic), expected=repr(MAGIC))
    version = cur.cstr("file version", 16)
    if cur.u8("byte order"):
        cur.fail(
            "big-endian recordings are not supported",
            got="byte order 1",
            expected="0 (little endian)",
            code="LP0606",
        )
    meta.long_bytes = cur.u8("long size")
    if meta.long_bytes != 8:
        cur.fail(
            "32-bit recordings are not supported",
            got=f"{meta.long_bytes} bytes per long",
            expected="8",
            code="LP0606",
        )
    meta.page_bytes = cur.u32("page size")
    check_page_bytes(cur, meta.page_bytes)
    return version


def check_page_bytes(cur: Cursor, size: int) -> None:
    """A sub-buffer is 4 KiB or more, whole words; anything else is a damaged file."""
    if not 4096 <= size <= 1 << 24 or size % 8:
        cur.fail("impossible page size", got=str(size), expected="4096 .. 16 MiB, whole words")


def read_headers(cur: Cursor, meta: Metadata) -> None:
    """Read the ``header_page`` and ``header_event`` blocks; the first fixes the sub-buffer size."""
    for name in ("header_page", "header_event"):
        got = cur.cstr(f"tag {name}", 16)
        if got != name:
            cur.fail("wrong tag", got=repr(got), expected=repr(name))
        text = cur.blob(cur.u64(f"size of {name}"), name).decode("utf-8", "replace")
        if name == "header_page":
            meta.header_page = text
            check_header_page(cur, meta)


def check_header_page(cur: Cursor, meta: Metadata) -> None:
    """Take the sub-buffer size from ``header_page``; refuse layouts that we do not know."""
    commit = re.search(r"local_t commit;\s*offset:(\d+);\s*size:(\d+);", meta.header_page)
    data = re.search(r"char data;\s*offset:(\d+);\s*size:(\d+);", meta.header_page)
    if commit is None or data is None:
        return
    if (commit[1], commit[2], data[1]) != ("8", "8", "16"):
        cur.fail(
            "page header of another word size",
            got=f"commit at {commit[1]}, {commit[2]} bytes; data at {data[1]}",
            expected="commit at 8, 8 bytes; data at 16",
            code="LP0606",
        )
    whole = int(data[1]) + int(data[2])
    if whole % 4096 == 0 and whole:
        meta.page_bytes = whole


def read_ftrace_formats(cur: Cursor, meta: Metadata) -> None:
    """Read the formats of ftrace's own events (print, function, ...)."""
    _read_formats(cur, meta, "ftrace", _count(cur, "ftrace events"))


def read_event_formats(cur: Cursor, meta: Metadata) -> None:
    """Read every ``events/<system>/<event>/format`` that the file carries."""
    for _ in range(_count(cur, "event systems")):
        system = cur.cstr("system name")
        _read_formats(cur, meta, system, _count(cur, f"events of {system}"))


def _read_formats(cur: Cursor, meta: Metadata, system: str, count: int) -> None:
    data, end = cur.data, cur.end
    for _ in range(count):
        start = cur.pos + 8
        size = _U64.unpack_from(data, cur.pos)[0] if start <= end else 0
        if start > end or size > end - start:
            cur.blob(cur.u64("size of a format"), "format")
        cur.pos = start + size
        meta.add_format((data, start, cur.pos, system, cur.file, cur.base))


def _count(cur: Cursor, what: str) -> int:
    count = cur.u32(f"number of {what}")
    if count > 1 << 16:
        cur.fail(f"impossible number of {what}", got=str(count), expected="at most 65536")
    return count


def read_cmdlines(data: bytes, meta: Metadata) -> None:
    """Read ``saved_cmdlines``: one ``pid name`` a line."""
    for line in data.decode("utf-8", "replace").splitlines():
        pid, _, name = line.strip("\0").partition(" ")
        if pid.isdigit() and len(pid) < 10:
            meta.cmdlines[int(pid)] = name


def read_cpu_stats(text: str, meta: Metadata) -> None:
    """Read one CPUSTAT option: the ring buffer's own counters of one CPU."""
    rows = dict(re.findall(r"^([a-zA-Z ]+):\s*([\d.]+)\s*$", text, re.M))
    if "CPU" in rows:
        cpu = int(float(rows.pop("CPU")))
        meta.cpu_stats[cpu] = {name: float(value) for name, value in rows.items()}


def chosen_clock(text: str) -> str:
    """``local [mono] boot`` -> ``mono``."""
    match = re.search(r"\[([^\]]+)\]", text)
    return match[1] if match else text.strip("\0 \n")


@dataclass(slots=True)
class Symbols:
    """Kernel functions by address, from the recording's own kallsyms.

    :param addresses: ``uint64[n]``, sorted
    :param places: ``int64[n]``, where in ``text`` each one's name begins
    """

    addresses: NDArray[np.uint64]
    places: NDArray[np.int64]
    text: bytes

    def name_of(self, address: int) -> str:
        """``function`` that holds ``address``, or the address in hex where none does."""
        unsigned = np.uint64(address % (1 << 64))
        stop = int(np.searchsorted(self.addresses, unsigned, "right"))
        if not stop:
            return f"0x{address:x}"
        # Of several names of one address the last by name.
        start = int(np.searchsorted(self.addresses, self.addresses[stop - 1]))
        return max(self.name_at(row) for row in range(start, stop))

    def name_at(self, row: int) -> str:
        """The name of one row."""
        found = _WORD.match(self.text, int(self.places[row]))
        return found[0].decode("ascii", "replace") if found else ""


# A line of kallsyms: 16 digits, a letter for the kind, the name; a module's has its name behind.
_DIGITS, _KIND, _NAME = 16, 17, 19
_WORD = re.compile(rb"\S*")
_NIBBLE = np.full(256, 255, dtype=np.uint8)
_NIBBLE[list(b"0123456789abcdef")] = np.arange(16)


def read_symbols(kallsyms: bytes) -> Symbols:
    """Sort a /proc/kallsyms text by address; functions only, other lines are passed over."""
    text = np.frombuffer(kallsyms, dtype=np.uint8)
    start = np.concatenate([[0], np.flatnonzero(text == ord("\n")) + 1])
    start = start[start + _NAME < text.size]
    kind, first = text[start + _KIND], text[start + _NAME]
    # Mapping symbols ($x) and local labels (.L12) share addresses with functions.
    good = np.isin(kind, list(b"tTwW")) & ~np.isin(first, list(b"$.\n"))
    start = start[good & (text[start + _DIGITS] == ord(" "))]
    digits = _NIBBLE[text[start[:, None] + np.arange(_DIGITS)]]
    whole = (digits != 255).all(axis=1)
    start, digits = start[whole], digits[whole]
    pairs = digits[:, ::2] << 4 | digits[:, 1::2]
    addresses = np.ascontiguousarray(pairs).view(">u8").reshape(-1).astype(np.uint64)
    order = np.argsort(addresses, kind="stable")
    return Symbols(addresses[order], start[order] + _NAME, kallsyms)

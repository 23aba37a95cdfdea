"""``trace.dat``: trace-cmd's files, versions 6 and 7, uncompressed, zlib and zstd.

Layout after trace-cmd.dat.v6(5) and trace-cmd.dat.v7(5), the manual pages of trace-cmd.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadput.base.errors import TraceError

from ..cursor import MAX_SECTION_BYTES, Buffer, Cursor
from ..metadata import (
    MAGIC,
    Metadata,
    check_page_bytes,
    chosen_clock,
    read_cmdlines,
    read_cpu_stats,
    read_event_formats,
    read_ftrace_formats,
    read_headers,
    read_initial,
)
from ..pages import BUFFER_SHIFT, I64, U8, Room, walk_pages
from ..source import ALL_BATCHES_BYTES, BATCH_BYTES, Batch, MissingLog, NameTable, Progress
from .packing import Unpacker
from .recover import find_buffers, find_sections

OPTION_DONE, OPTION_CPUSTAT, OPTION_BUFFER, OPTION_CLOCK = 0, 2, 3, 4
OPTION_UNAME, OPTION_OFFSET, OPTION_CPUCOUNT, OPTION_VERSION, OPTION_TSC = 5, 7, 8, 9, 14
SECTION_OPTIONS, SECTION_BUFFER = 0, 3
SECTION_HEADERS, SECTION_FTRACE, SECTION_EVENTS = 16, 17, 18
SECTION_KALLSYMS, SECTION_PRINTK, SECTION_CMDLINES = 19, 20, 21
COMPRESSED = 1
# Options sections are chained; a file that chains more of them than this is a loop.
MAX_OPTION_SECTIONS = 1024


@dataclass(slots=True)
class CpuData:
    """Where one CPU's pages stand in the file."""

    cpu: int
    offset: int
    size: int
    is_compressed: bool
    buffer: str = ""


@dataclass(slots=True)
class TraceDat:
    """A trace.dat file: metadata read, pages not yet. See :class:`..source.Source`."""

    file: str
    data: Buffer
    meta: Metadata
    kind: str = "trace.dat"
    cpus: list[CpuData] = field(default_factory=list)
    unpacker: Unpacker = field(default_factory=lambda: Unpacker("none"))
    log: MissingLog = field(init=False)
    # Unpacked pages are kept from one reading to the next where they all fit in as many bytes.
    keep_bytes: int = 0
    _kept: dict[int, list[tuple[int, U8, int]]] = field(default_factory=dict)
    _names: NameTable | None = None

    def __post_init__(self) -> None:
        self.log = MissingLog(self.meta, self.file)

    @property
    def buffers(self) -> list[str]:
        return list(dict.fromkeys(c.buffer for c in self.cpus))

    def runs(self, progress: Progress | None = None) -> list[Iterator[Batch]]:
        total, done = sum(c.size for c in self.cpus) or 1, [0]

        def note(used: int) -> None:
            done[0] += used
            if progress is not None:
                progress(min(done[0], total), total)

        packed = [self.unpacker.measure(self.data, c.offset) for c in self.cpus if c.is_compressed]
        keep = sum(plain for _, plain in packed) <= self.keep_bytes
        return [self._run(row, keep, note) for row in range(len(self.cpus))]

    def _run(self, row: int, keep: bool, note: Callable[[int], None]) -> Iterator[Batch]:
        cpu = self.cpus[row]
        kept = self._kept.get(row)
        pages = self._iter_pages(cpu) if kept is None else kept
        fresh: list[tuple[int, U8, int]] = []
        seq = self.buffers.index(cpu.buffer) << BUFFER_SHIFT
        before = 0
        room = Room()
        for offset, piece, used in pages:
            batch = self._decode(cpu, offset, piece, seq, room)
            seq += batch.time.size
            note(used - before)
            before = used
            if cpu.is_compressed and keep:
                fresh.append((offset, piece, used))
            yield batch
        if fresh:
            self._kept[row] = fresh

    def known_names(self) -> dict[int, str]:
        return dict(self.meta.cmdlines)

    def fill_names(self, pid: NDArray[np.int32], time: I64, out: NDArray[Any]) -> None:
        if self._names is None:
            self._names = NameTable(self.meta.cmdlines)
        self._names.fill(pid, out)

    def _iter_pages(self, cpu: CpuData) -> Iterator[tuple[int, U8, int]]:
        # (file offset, whole pages, bytes of the file used so far) for one CPU.
        end = cpu.offset + cpu.size
        if cpu.is_compressed:
            # The size in the table leaves out some of the chunk headers; the list has its own.
            end = min([c.offset for c in self.cpus if c.offset > cpu.offset] + [len(self.data)])
        if end > len(self.data):
            self.log.add(
                "truncated",
                f"CPU {cpu.cpu}: data ends {end - len(self.data)} bytes early",
                offset=len(self.data),
                cpu=cpu.cpu,
                section="buffer flyrecord",
                expected=f"{cpu.size} bytes at {cpu.offset}",
            )
            end = len(self.data)
        batch = max(min(BATCH_BYTES, ALL_BATCHES_BYTES // len(self.cpus)), 1 << 18)
        if cpu.is_compressed:
            cur = Cursor(self.data, self.file, section=f"CPU {cpu.cpu}", pos=cpu.offset, end=end)
            for piece, offset in self.unpacker.iter_chunks(cur, self.log, cpu.cpu, batch):
                yield offset, self._whole(piece, offset, cpu), cur.pos - cpu.offset
            return
        step = max(batch // self.meta.page_bytes, 1) * self.meta.page_bytes
        for offset in range(cpu.offset, end, step):
            stop = min(offset + step, end)
            piece = np.frombuffer(self.data, np.uint8, max(stop - offset, 0), offset)
            yield offset, self._whole(piece, offset, cpu), stop - cpu.offset

    def _whole(self, piece: U8, offset: int, cpu: CpuData) -> U8:
        page = self.meta.page_bytes
        if piece.size % page:
            self.log.add(
                "truncated",
                f"CPU {cpu.cpu}: {piece.size % page} bytes of an incomplete page left out",
                offset=offset + piece.size,
                cpu=cpu.cpu,
                section="buffer flyrecord",
                expected=f"whole pages of {page} bytes",
            )
        return piece[: piece.size // page * page]

    def _decode(self, cpu: CpuData, offset: int, pages: U8, seq: int, room: Room) -> Batch:
        found = walk_pages(pages, self.meta.page_bytes, cpu=cpu.cpu, seq=seq, room=room)
        for page, count in found.missed:
            self.log.add(
                "lost",
                f"CPU {cpu.cpu}: {count if count >= 0 else 'some'} events lost by the kernel",
                offset=offset + page * self.meta.page_bytes,
                cpu=cpu.cpu,
                section="page header",
                count=count,
                time_ns=self._time_of_page(pages, page),
            )
        for page, byte, what in found.bad:
            self.log.add(
                "corrupt",
                f"CPU {cpu.cpu}: page {page} of this run has {what}; the rest of it is left out",
                offset=offset + byte,
                cpu=cpu.cpu,
                section="ring buffer page",
                expected="entries that end within the page's committed length",
            )
        short, first = found.short
        if short:
            self.log.add(
                "corrupt",
                f"CPU {cpu.cpu}: {short} records too short for a header left out",
                offset=offset + first,
                cpu=cpu.cpu,
                section="ring buffer page",
                expected="8 bytes of common fields",
            )
        return Batch(pages, self._to_ns(found.time), found.records)

    def _time_of_page(self, pages: U8, page: int) -> int:
        at = page * self.meta.page_bytes
        return int.from_bytes(pages[at : at + 8].tobytes(), "little")

    def _to_ns(self, time: I64) -> I64:
        if self.meta.tsc is not None:
            mult, shift = self.meta.tsc
            raw = time.view(np.uint64)
            high, low = raw >> np.uint64(32), raw & np.uint64(0xFFFFFFFF)
            m = np.uint64(mult)
            down = np.uint64(shift)
            scaled = (low * m >> down) + (high * m << np.uint64(max(32 - shift, 0)))
            time = scaled.view(np.int64)
        return time + self.meta.time_offset_ns if self.meta.time_offset_ns else time


def is_tracedat(data: Buffer) -> bool:
    """Whether ``data`` starts as a trace.dat file does."""
    return bytes(data[: len(MAGIC)]) == MAGIC


def open_tracedat(data: Buffer, file: str, keep_bytes: int = 0) -> TraceDat:
    """Read the metadata of a trace.dat file.

    Only what no event can be decoded without is fatal (header, formats); a damaged symbol table
    or task list is noted in ``meta.missing``.

    :raises TraceError: LP0601 truncated, LP0602 damaged, LP0604 a format, LP0606 not supported
    """
    cur = Cursor(data, file, section="initial header")
    meta = Metadata()
    version = read_initial(cur, meta)
    trace = TraceDat(file, data, meta, keep_bytes=keep_bytes)
    if version == "6":
        _read_v6(trace, cur)
    elif version == "7":
        _read_v7(trace, cur)
    else:
        cur.fail(
            "trace.dat of another version",
            got=repr(version),
            expected="6 or 7 (`trace-cmd convert --file-version 7`)",
            code="LP0606",
        )
    return trace


def _read_v6(trace: TraceDat, cur: Cursor) -> None:
    meta = trace.meta
    cur.section = "header info"
    read_headers(cur, meta)
    cur.section = "ftrace event formats"
    read_ftrace_formats(cur, meta)
    cur.section = "event formats"
    read_event_formats(cur, meta)
    cur.section = "kallsyms"
    meta.kallsyms = cur.blob(cur.u32("size of kallsyms"), "kallsyms")
    cur.section = "printk formats"
    meta.printk = cur.blob(cur.u32("size of printk formats"), "printk formats")
    cur.section = "command lines"
    read_cmdlines(cur.blob(cur.u64("size of command lines"), "command lines"), meta)
    cur.section = "options"
    meta.cpu_count = _cpu_count(cur)
    tag = cur.take(10, "tag")
    instances: list[tuple[int, str]] = []
    if tag == b"options  \0":
        while (option := cur.u16("option number")) != OPTION_DONE:
            body = cur.blob(cur.u32("option size"), "option")
            if option == OPTION_BUFFER and len(body) > 8:
                name = body[8:].split(b"\0")[0].decode("utf-8", "replace")
                instances.append((int.from_bytes(body[:8], "little"), name))
            else:
                _read_option(trace, option, body)
        tag = cur.take(10, "tag")
    _read_v6_cpus(trace, cur, tag, "")
    for offset, name in instances:
        cur.section = f"buffer instance {name}"
        cur.seek(offset, "buffer offset")
        _read_v6_cpus(trace, cur, cur.take(10, "tag"), name)


def _cpu_count(cur: Cursor) -> int:
    count = cur.u32("number of CPUs")
    if count > 1 << 16:
        cur.fail("impossible number of CPUs", got=str(count), expected="at most 65536")
    return count


def _read_v6_cpus(trace: TraceDat, cur: Cursor, tag: bytes, name: str) -> None:
    cur.section = "flyrecord"
    if tag == b"latency  \0":
        cur.fail(
            "a latency trace holds text, not events",
            got="latency",
            expected="flyrecord (record with `trace-cmd record -e ...`)",
            code="LP0606",
        )
    if tag != b"flyrecord\0":
        cur.fail("wrong tag", got=repr(tag), expected="options, latency or flyrecord")
    for cpu in range(trace.meta.cpu_count):
        offset, size = cur.u64("CPU data offset"), cur.u64("CPU data size")
        if size:
            trace.cpus.append(CpuData(cpu, offset, size, False, name))


def _read_v7(trace: TraceDat, cur: Cursor) -> None:
    name, version = cur.cstr("compression name", 64), cur.cstr("compression version", 64)
    trace.unpacker = Unpacker(name, version, trace.file, cur.offset)
    at = cur.u64("offset of the first options section")
    sections: dict[int, int] = {}
    seen: set[int] = set()
    while at:
        if at in seen or len(seen) > MAX_OPTION_SECTIONS:
            cur.section = "options"
            cur.fail("options sections in a loop", got=f"offset {at} again", expected="an end")
        seen.add(at)
        try:
            at = _read_options(trace, cur, at, sections)
        except TraceError as why:
            if not recover(trace, sections, at, why):
                raise
            break
    _read_sections(trace, sections)


def recover(trace: TraceDat, sections: dict[int, int], at: int, why: TraceError) -> bool:
    """Find what a cut file has lost the directory of; False where formats are gone too."""
    head = Cursor(trace.data, trace.file)
    read_initial(head, Metadata())
    head.cstr("compression name", 64)
    head.cstr("compression version", 64)
    found = find_sections(trace.data, head.pos + 8)
    for number, place, _ in found:
        if SECTION_HEADERS <= number <= SECTION_CMDLINES:
            sections.setdefault(number, place)
    if not {SECTION_HEADERS, SECTION_EVENTS} <= set(sections):
        return False
    trace.log.add(
        "truncated",
        f"the option that says where each CPU's data stands is gone ({why.what}); "
        "CPUs are numbered in file order",
        offset=min(at, len(trace.data)),
        section="options",
        expected="a BUFFER option",
    )
    for number, place, flags in found if not trace.cpus else []:
        if number == SECTION_BUFFER:
            rows = find_buffers(
                trace.data, place + 16, flags, trace.meta.page_bytes, trace.unpacker
            )
            for cpu, (start, size) in enumerate(rows):
                trace.cpus.append(CpuData(cpu, start, size, bool(flags & COMPRESSED)))
    return True


def _read_options(trace: TraceDat, cur: Cursor, at: int, sections: dict[int, int]) -> int:
    cur.section = "options"
    body = _open_section(trace, cur, at, SECTION_OPTIONS)
    while body.pos < body.end:
        option, size = body.u16("option number"), body.u32("option size")
        data = body.blob(size, f"option {option}")
        if option == OPTION_DONE:
            return int.from_bytes(data[:8], "little")
        if option == OPTION_BUFFER:
            _read_buffer_option(trace, data, body)
        elif SECTION_HEADERS <= option <= SECTION_CMDLINES and size == 8:
            sections[option] = int.from_bytes(data, "little")
        else:
            _read_option(trace, option, data)
    return 0


def _open_section(trace: TraceDat, cur: Cursor, at: int, number: int) -> Cursor:
    # A cursor over the section's bytes, unpacked where need be.
    cur.seek(at, f"offset of section {number}")
    got, flags = cur.u16("section number"), cur.u16("section flags")
    cur.u32("section description")
    size = cur.u64("section size")
    if got != number:
        cur.fail("wrong section", got=f"section {got}", expected=f"section {number}")
    if not flags & COMPRESSED:
        if size > cur.end - cur.pos:
            cur.take(size, f"section {number}")
        return Cursor(trace.data, trace.file, section=cur.section, pos=cur.pos, end=cur.pos + size)
    packed, plain = cur.u32("compressed size"), cur.u32("uncompressed size")
    if plain > MAX_SECTION_BYTES:
        cur.fail("impossible section size", got=str(plain), expected=f"<= {MAX_SECTION_BYTES}")
    base = cur.offset
    data = trace.unpacker.unpack(cur, packed, plain)
    return Cursor(data, trace.file, section=f"{cur.section}, unpacked", base=base)


def _read_buffer_option(trace: TraceDat, data: bytes, outer: Cursor) -> None:
    cur = Cursor(data, trace.file, section="BUFFER option", base=outer.offset - len(data))
    at = cur.u64("section offset")
    name, clock = cur.cstr("instance name"), cur.cstr("instance clock")
    page = cur.u32("page size")
    check_page_bytes(cur, page)
    trace.meta.page_bytes = page
    own = chosen_clock(clock)
    trace.meta.clock = trace.meta.clock or own
    if own and own != trace.meta.clock:
        trace.log.add(
            "clock",
            f"buffer {name!r} has the clock {own}, the others {trace.meta.clock}: their times do "
            "not compare",
            section="BUFFER option",
            expected="one clock for all buffers",
        )
    flags = 0
    if at + 4 <= len(trace.data):
        flags = struct.unpack("<H", bytes(trace.data[at + 2 : at + 4]))[0]
    for _ in range(_cpu_count(cur)):
        cpu, offset, size = cur.u32("CPU"), cur.u64("data offset"), cur.u64("data size")
        if size:
            trace.cpus.append(CpuData(cpu, offset, size, bool(flags & COMPRESSED), name))


def _read_option(trace: TraceDat, option: int, body: bytes) -> None:
    meta = trace.meta
    text = body.split(b"\0", 1)[0].decode("utf-8", "replace")
    if option == OPTION_CPUSTAT:
        read_cpu_stats(text, meta)
    elif option == OPTION_CLOCK:
        meta.clock = chosen_clock(text)
    elif option == OPTION_UNAME:
        meta.uname = text
    elif option == OPTION_VERSION:
        meta.tool = text.strip()
    elif option == OPTION_CPUCOUNT and len(body) >= 4:
        meta.cpu_count = int.from_bytes(body[:4], "little")
    elif option == OPTION_OFFSET:
        try:
            meta.time_offset_ns = int(text.strip(), 0)
        except ValueError:
            trace.log.add("corrupt", f"time offset {text!r} is no number", section="options")
    elif option == OPTION_TSC and len(body) >= 16:
        mult, shift = struct.unpack("<II", body[:8])
        if mult and shift <= 32:
            meta.tsc = (mult, shift)


def _read_sections(trace: TraceDat, sections: dict[int, int]) -> None:
    meta = trace.meta
    cur = Cursor(trace.data, trace.file)

    def body(number: int, name: str) -> Cursor:
        cur.section = name
        if number not in sections:
            cur.fail(f"no {name} section", got="no such option", expected=f"section {number}")
        return _open_section(trace, cur, sections[number], number)

    page = meta.page_bytes
    read_headers(body(SECTION_HEADERS, "header info"), meta)
    if trace.cpus:
        meta.page_bytes = page
    read_event_formats(body(SECTION_EVENTS, "event formats"), meta)
    if SECTION_FTRACE in sections:
        _optional(trace, lambda: read_ftrace_formats(body(SECTION_FTRACE, "ftrace events"), meta))
    if SECTION_KALLSYMS in sections:
        meta.kallsyms = lambda: _read_kallsyms(body(SECTION_KALLSYMS, "kallsyms"))
    if SECTION_CMDLINES in sections:
        _optional(trace, lambda: _read_names(body(SECTION_CMDLINES, "command lines"), meta))


def _read_kallsyms(cur: Cursor) -> bytes:
    return cur.blob(cur.u32("size of kallsyms"), "kallsyms")


def _read_names(cur: Cursor, meta: Metadata) -> None:
    read_cmdlines(cur.blob(cur.u64("size of command lines"), "command lines"), meta)


def _optional(trace: TraceDat, read: Any) -> None:
    try:
        read()
    except TraceError as why:
        trace.log.add("corrupt", why.what, section=why.where or "")

"""``perf.data``: file mode and pipe mode, plain or zstd-compressed records.

Layout after tools/perf/Documentation/perf.data-file-format.txt of the Linux source and
``struct perf_event_attr`` of include/uapi/linux/perf_event.h. Samples without raw data carry no
fields; they are counted as missing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadput.base.errors import TraceError

from ..cursor import Buffer, Cursor
from ..metadata import (
    Metadata,
    read_cmdlines,
    read_event_formats,
    read_ftrace_formats,
    read_headers,
    read_initial,
)
from ..pages import I64
from ..source import Batch, MissingLog, Progress
from .perfrecords import (
    SAMPLE,
    Attr,
    Chunk,
    Scratch,
    TaskNames,
    decode_samples,
    walk_records,
)

MAGIC = b"PERFILE2"
PIPE_HEADER_BYTES = 16
# struct perf_event_attr: PERF_ATTR_SIZE_VER0, and what a newer kernel may reach; all of them.
LEAST_ATTR_BYTES, MOST_ATTR_BYTES, MOST_ATTRS_BYTES = 64, 4096, 1 << 26
RECORD_ATTR, RECORD_TRACING, RECORD_FEATURE, RECORD_AUXTRACE = 64, 66, 80, 71
RECORD_COMPRESSED, RECORD_COMPRESSED2 = 81, 83
FEATURE_TRACING, FEATURE_OSRELEASE, FEATURE_NRCPUS, FEATURE_ARCH, FEATURE_VERSION = 1, 4, 7, 6, 5
FEATURE_HOSTNAME = 3
CLOCK_NAMES = {0: "real", 1: "mono", 4: "mono_raw", 7: "boot", 11: "tai"}
# A corrupt stream of compressed records must not grow without bound.
MAX_LEFTOVER_BYTES = 64 << 20


@dataclass(slots=True)
class PerfData:
    """A perf.data file. See :class:`..source.Source`."""

    file: str
    data: Buffer
    meta: Metadata
    start: int
    end: int
    kind: str = "perf.data"
    attrs: list[Attr] = field(default_factory=list)
    by_id: dict[int, int] = field(default_factory=dict)
    log: MissingLog = field(init=False)
    names: TaskNames = field(default_factory=TaskNames)
    # Whether the records that name tasks were all read.
    is_named: bool = False
    scratch: Scratch = field(default_factory=Scratch)
    # Records of other files of one recording, by file name: `perf record --threads`.
    parts: list[tuple[str, Buffer]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log = MissingLog(self.meta, self.file)

    @property
    def buffers(self) -> list[str]:
        return [""]

    def runs(self, progress: Progress | None = None) -> list[Iterator[Batch]]:
        return [self._run(progress)]

    def _run(self, progress: Progress | None) -> Iterator[Batch]:
        self.scratch.begin()
        if not self.is_named:
            self.names = TaskNames()
        runs = [(self.file, self.data, self.start, self.end)]
        runs += [(name, data, 0, len(data)) for name, data in self.parts]
        total = max(sum(end - start for _, _, start, end in runs), 1)
        done = 0
        for file, data, start, end in runs:
            self.log.file = file
            for chunk in self._iter_chunks(data, start, end):
                yield from decode_samples(chunk, self.attrs, self.by_id, self.scratch, self.log)
                if progress is not None:
                    progress(min(done + chunk.file_end - start, total), total)
            done += end - start
        self.is_named = True
        self.meta.others = self.scratch.others_seen

    def known_names(self) -> dict[int, str]:
        last = {tid: n[-1].decode("utf-8", "replace") for tid, n in self.names.names.items()}
        return self.meta.cmdlines | last

    def fill_names(self, pid: NDArray[np.int32], time: I64, out: NDArray[Any]) -> None:
        self.names.fill(pid, time, self.meta.cmdlines, out)

    def _iter_chunks(self, data: Buffer, start: int, end: int) -> Iterator[Chunk]:
        inflate: Any = None
        leftover = b""
        plain = np.frombuffer(data, np.uint8)
        cur = Cursor(data, self.file, section="data", pos=start, end=end)
        while cur.pos < cur.end:
            chunk = walk_records(plain, cur.pos, cur.end, self, base=0)
            yield chunk
            cur.pos = chunk.file_end
            if chunk.stop is None:
                break
            kind, at, size = chunk.stop
            cur.pos = at + size
            if kind in (RECORD_COMPRESSED, RECORD_COMPRESSED2):
                if inflate is None:
                    import zstandard

                    inflate = zstandard.ZstdDecompressor().decompressobj()
                leftover, chunks = self._inflate(data, inflate, leftover, kind, at, size)
                yield from chunks
                if not chunks:
                    break
            elif kind == RECORD_TRACING:
                cur.pos = at + size + _skip_after(data, at)
            elif kind == RECORD_AUXTRACE and size >= 16:
                cur.pos += struct.unpack_from("<Q", data, at + 8)[0]

    def _inflate(
        self, data: Buffer, inflate: Any, leftover: bytes, kind: int, at: int, size: int
    ) -> tuple[bytes, list[Chunk]]:
        import zstandard

        skip = 16 if kind == RECORD_COMPRESSED2 else 8
        stop = at + size
        if kind == RECORD_COMPRESSED2 and size >= 16:
            stop = min(stop, at + 16 + struct.unpack_from("<Q", data, at + 8)[0])
        try:
            out = leftover + inflate.decompress(bytes(data[at + skip : stop]))
        except zstandard.ZstdError as why:
            self.log.add("corrupt", f"compressed records: {why}", offset=at, section="data")
            return b"", []
        if len(out) > MAX_LEFTOVER_BYTES:
            self.log.add("corrupt", "compressed records of no end", offset=at, section="data")
            return b"", []
        plain, pos = np.frombuffer(out, np.uint8), 0
        chunks: list[Chunk] = []
        while not chunks or chunks[-1].stop is not None:
            chunks.append(walk_records(plain, pos, len(out), self, base=at, partial=True))
            pos = chunks[-1].file_end
            chunks[-1].file_end = at + size
            if chunks[-1].stop is not None and chunks[-1].stop[0] != SAMPLE:
                break  # a packed record within a packed record
        return out[pos:], chunks


def _skip_after(data: Buffer, at: int) -> int:
    (length,) = struct.unpack_from("<I", data, at + 8)
    return -(-int(length) // 8) * 8


def is_perfdata(data: Buffer) -> bool:
    """Whether ``data`` starts as a perf.data file does (either byte order)."""
    return bytes(data[:8]) in (MAGIC, MAGIC[::-1], b"PERFFILE")


def open_perfdata(data: Buffer, file: str, parts: Iterable[tuple[str, Buffer]] = ()) -> PerfData:
    """Read the attributes, features and formats of a perf.data file.

    :param parts: files with more of its records, as ``perf record --threads`` writes them
    :raises TraceError: LP0601 truncated, LP0602 damaged, LP0606 big-endian or the old format
    """
    cur = Cursor(data, file, section="perf header")
    magic = cur.take(8, "magic")
    if magic != MAGIC:
        cur.pos = 0
        cur.fail(
            "perf.data of another byte order or age",
            got=repr(magic),
            expected=repr(MAGIC) + " (little endian)",
            code="LP0606",
        )
    meta = Metadata()
    meta.tool = "perf"
    size = cur.u64("header size")
    perf = PerfData(file, data, meta, PIPE_HEADER_BYTES, len(data), parts=[*parts])
    if size == PIPE_HEADER_BYTES:
        _read_pipe_header(perf)
    else:
        _read_file_header(perf, cur)
    if not perf.attrs:
        cur.fail("no event attributes", got="0", expected="at least one recorded event")
    clock = {a.clock for a in perf.attrs}
    meta.clock = CLOCK_NAMES.get(clock.pop(), "perf") if len(clock) == 1 else "perf"
    return perf


def _read_file_header(perf: PerfData, cur: Cursor) -> None:
    attr_size = cur.u64("attribute size")
    attrs_at, attrs_len = cur.u64("attrs offset"), cur.u64("attrs size")
    perf.start, length = cur.u64("data offset"), cur.u64("data size")
    cur.skip(16, "event types")
    flags = cur.take(32, "feature bits")
    perf.end = perf.start + length
    if not length and perf.start < len(perf.data):
        perf.end = len(perf.data)
        # perf writes the size of the data last, and the features behind them.
        flags = bytes(32)
        perf.log.add(
            "truncated",
            "perf was killed before it closed the file: it holds the samples so far, but no event "
            "formats, so events have numbers for names and no fields",
            section="perf header",
            offset=48,
            expected="the size of the data",
        )
    if perf.end > len(perf.data):
        perf.log.add(
            "truncated",
            f"data ends {perf.end - len(perf.data)} bytes early",
            offset=len(perf.data),
            section="data",
            expected=f"{length} bytes at {perf.start}",
        )
    cur.section = "attrs"
    _check_attr_size(perf, 16, attr_size - 16, MOST_ATTR_BYTES)
    if attrs_len > MOST_ATTRS_BYTES:
        cur.fail("impossible size of all attributes", got=str(attrs_len), expected="less")
    cur.seek(attrs_at, "attrs")
    for _ in range(attrs_len // attr_size):
        body = cur.take(attr_size, "an attribute")
        ids_at, ids_len = struct.unpack("<QQ", body[-16:])
        ids = Cursor(perf.data, perf.file, section="attr ids")
        ids.seek(ids_at, "ids of an attribute")
        raw = ids.blob(ids_len // 8 * 8, "ids of an attribute")
        _add_attr(perf, body[:-16], raw)
    features = [i for i in range(256) if flags[i // 8] >> (i % 8) & 1]
    _read_features(perf, features, length)
    perf.end = min(perf.end, len(perf.data))


def _check_attr_size(perf: PerfData, at: int, size: int, room: int) -> None:
    if size < LEAST_ATTR_BYTES or size > room or size % 8:
        Cursor(perf.data, perf.file, section="attrs", pos=at).fail(
            "impossible size of an event attribute",
            got=f"{size} bytes",
            expected=f"a multiple of 8, from {LEAST_ATTR_BYTES} to {room}",
        )


def _add_attr(perf: PerfData, body: bytes, ids: bytes) -> None:
    attr = Attr.parse(body)
    perf.attrs.append(attr)
    for number in np.frombuffer(ids, "<u8").tolist():
        perf.by_id[number] = len(perf.attrs) - 1


def _read_features(perf: PerfData, features: list[int], length: int) -> None:
    at = perf.start + length
    try:
        cur = Cursor(perf.data, perf.file, section="features")
        cur.seek(at, "feature table")
        table = [(f, cur.u64("feature offset"), cur.u64("feature size")) for f in features]
    except TraceError as why:
        perf.log.add("truncated", f"no feature table: {why.what}", offset=at, section="features")
        table = []
    for feature, offset, size in table:
        if offset + size > len(perf.data):
            perf.log.add("truncated", f"feature {feature} is cut", offset=offset, section="feature")
            continue
        cur = Cursor(
            perf.data, perf.file, section=f"feature {feature}", pos=offset, end=offset + size
        )
        _read_feature(perf, feature, cur)
    if not perf.meta.by_id and length and any(a.is_tracepoint for a in perf.attrs):
        perf.log.add(
            "truncated",
            "no event formats: fields cannot be decoded",
            section="tracing data",
            expected="feature 1 (tracing data)",
        )


def _read_feature(perf: PerfData, feature: int, cur: Cursor) -> None:
    meta = perf.meta
    if feature == FEATURE_TRACING:
        read_tracing_data(cur, meta)
    elif feature in (FEATURE_HOSTNAME, FEATURE_OSRELEASE, FEATURE_VERSION, FEATURE_ARCH):
        size = cur.u32("string size")
        body = cur.take(min(size, cur.end - cur.pos), "string")
        text = body.split(b"\0", 1)[0].decode("utf-8", "replace")
        if feature == FEATURE_VERSION:
            meta.tool = f"perf {text}"
        elif feature != FEATURE_HOSTNAME:
            meta.uname = f"{meta.uname} {text}".strip() if meta.uname else f"Linux {text}"
    elif feature == FEATURE_NRCPUS:
        meta.cpu_count = cur.u32("online CPUs")


def read_tracing_data(cur: Cursor, meta: Metadata) -> None:
    """Read the block that holds formats, symbols and names, as trace.dat version 0.5 or 0.6."""
    try:
        version = read_initial(cur, meta)
        read_headers(cur, meta)
        read_ftrace_formats(cur, meta)
        read_event_formats(cur, meta)
        meta.kallsyms = cur.blob(cur.u32("size of kallsyms"), "kallsyms")
        meta.printk = cur.blob(cur.u32("size of printk formats"), "printk formats")
        if version >= "0.6" and cur.end - cur.pos >= 8:
            read_cmdlines(cur.blob(cur.u64("size of command lines"), "command lines"), meta)
    except TraceError as why:
        if not meta.by_id or why.code == "LP0606":
            raise
        log = MissingLog(meta, cur.file)
        log.add("corrupt", f"tracing data: {why.what}", offset=cur.offset, section="tracing data")


def _read_pipe_header(perf: PerfData) -> None:
    """Pipe mode: attributes and formats come as records before the samples."""
    pos = PIPE_HEADER_BYTES
    data = perf.data
    while pos + 8 <= len(data):
        kind, _, size = struct.unpack_from("<IHH", data, pos)
        if size < 8 or pos + size > len(data):
            break
        if kind == RECORD_ATTR and size >= 72:
            body = bytes(data[pos + 8 : pos + size])
            attr_size = int.from_bytes(body[4:8], "little") or LEAST_ATTR_BYTES
            _check_attr_size(perf, pos + 12, attr_size, len(body))
            _add_attr(perf, body[:attr_size], body[attr_size : len(body) // 8 * 8])
        elif kind == RECORD_FEATURE and size > 16:
            (feature,) = struct.unpack_from("<Q", data, pos + 8)
            cur = Cursor(data, perf.file, section=f"feature {feature}", pos=pos + 16)
            cur.end = pos + size
            if feature != FEATURE_TRACING:
                _read_feature(perf, feature, cur)
        elif kind == RECORD_TRACING and size >= 12:
            (length,) = struct.unpack_from("<I", data, pos + 8)
            cur = Cursor(data, perf.file, section="tracing data", pos=pos + size)
            cur.end = min(pos + size + length, len(data))
            read_tracing_data(cur, perf.meta)
            size += -(-length // 8) * 8
        elif kind == RECORD_AUXTRACE and size >= 16:
            size += struct.unpack_from("<Q", data, pos + 8)[0]
        pos += size

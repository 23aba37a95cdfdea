"""The records of perf.data: the chain of them, and samples to columns."""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cursor import fail
from ..decode import strided
from ..pages import I64, U8
from ..source import Batch, MissingLog, NameTable
from .perfchain import find_records

LOST, COMM, FORK, SAMPLE, LOST_SAMPLES = 2, 3, 7, 9, 13
TRACING, AUXTRACE, COMPRESSED, COMPRESSED2 = 66, 71, 81, 83
# Records after which the caller must move by hand: foreign data follows, or packed records.
STOPS = frozenset({TRACING, AUXTRACE, COMPRESSED, COMPRESSED2})
# Bytes followed at once by find_records: bounds memory too.
FAST_BYTES = 64 << 20
# Samples per batch: bounds memory whatever the file's size.
CHUNK_SAMPLES = 1 << 18

S_IP, S_TID, S_TIME, S_ADDR, S_READ, S_CALLCHAIN, S_ID, S_CPU = (1 << i for i in range(8))
S_PERIOD, S_STREAM_ID, S_RAW = 1 << 8, 1 << 9, 1 << 10
S_IDENTIFIER = 1 << 16
READ_ENABLED, READ_RUNNING, READ_ID, READ_GROUP, READ_LOST = 1, 2, 4, 8, 16
ATTR_SAMPLE_ID_ALL, ATTR_USE_CLOCKID = 1 << 18, 1 << 25


@dataclass(frozen=True, slots=True)
class Attr:
    """One recorded event: what its samples carry and in which order."""

    type: int
    config: int
    sample_type: int
    read_format: int
    flags: int
    clock: int

    @classmethod
    def parse(cls, body: bytes) -> Attr:
        """Read a ``struct perf_event_attr``; fields beyond its size are 0."""
        body = body.ljust(128, b"\0")
        kind, _, config, _, sample, read, flags = struct.unpack("<IIQQQQQ", body[:48])
        (clock,) = struct.unpack("<i", body[92:96])
        return cls(kind, config, sample, read, flags, clock if flags & ATTR_USE_CLOCKID else -1)

    def offset_of(self, bit: int) -> int:
        """Byte offset of a fixed sample item from the record's start; -1 where absent."""
        if not self.sample_type & bit:
            return -1
        order = (S_IDENTIFIER, S_IP, S_TID, S_TIME, S_ADDR, S_ID, S_STREAM_ID, S_CPU, S_PERIOD)
        pos = 8
        for item in order:
            if item == bit:
                return pos
            pos += 8 if self.sample_type & item else 0
        return pos  # READ, CALLCHAIN and RAW follow the fixed items

    def trailer_time(self) -> int:
        """Where the time of a non-sample record stands, in bytes before its end; 0: nowhere."""
        if not self.flags & ATTR_SAMPLE_ID_ALL or not self.sample_type & S_TIME:
            return 0
        later = (S_TIME, S_ID, S_STREAM_ID, S_CPU, S_IDENTIFIER)
        return 8 * sum(1 for bit in later if self.sample_type & bit)


@dataclass(slots=True)
class Chunk:
    """Samples found in a stretch of records; ``stop`` is the record that ended it, if any."""

    data: U8
    samples: I64
    file_end: int
    base: int
    stop: tuple[int, int, int] | None = None


@dataclass(slots=True)
class TaskNames:
    """Task names over time, from COMM and FORK records."""

    times: dict[int, list[int]] = field(default_factory=dict)
    names: dict[int, list[bytes]] = field(default_factory=dict)
    _fixed: NameTable | None = None
    _rank: NDArray[np.int32] = field(default_factory=lambda: np.zeros(1, np.int32))
    _changes: I64 = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    _table: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0), "S16"))

    def set(self, tid: int, time: int, name: bytes) -> None:
        """From ``time`` on, ``tid`` is called ``name``."""
        self._fixed = None
        time = min(time, (1 << 63) - 1)
        times, names = self.times.setdefault(tid, []), self.names.setdefault(tid, [])
        at = bisect.bisect_right(times, time)
        times.insert(at, time)
        names.insert(at, name)

    def at(self, tid: int, time: int) -> bytes:
        """The name of ``tid`` at ``time``; its first known one before that."""
        times = self.times.get(tid)
        if not times:
            return b""
        return self.names[tid][max(bisect.bisect_right(times, time) - 1, 0)]

    def lookup(self, pid: NDArray[np.int32], time: I64, saved: dict[int, str]) -> NDArray[Any]:
        """Names for each (pid, time) as ``S16``."""
        if self._fixed is None:
            self._fixed = NameTable({t: n for t, n in saved.items() if t not in self.names})
            self._compile()
        out = self._fixed.lookup(pid)
        rank = self._rank[np.where((pid >= 0) & (pid < self._rank.size), pid, 0)]
        rows = np.flatnonzero(rank >= 0)
        if rows.size:
            which, when = rank[rows], time[rows]
            at = np.zeros(rows.size, dtype=np.int64)
            for change in self._changes[1:]:
                at += when >= change[which]
            out[rows] = self._table[at, which]
        return out

    def _compile(self) -> None:
        # Row k of the tables: the k-th name of each task, and from when on.
        tids = sorted(t for t in self.names if 0 <= t < 1 << 22)
        most = max((len(self.names[t]) for t in tids), default=1)
        self._rank = np.full((tids[-1] if tids else 0) + 1, -1, dtype=np.int32)
        self._changes = np.full((most, len(tids)), np.iinfo(np.int64).max)
        self._table = np.zeros((most, len(tids)), dtype="S16")
        for rank, tid in enumerate(tids):
            self._rank[tid] = rank
            count = len(self.names[tid])
            self._changes[:count, rank] = self.times[tid]
            self._table[:count, rank] = self.names[tid]


def walk_records(
    data: U8, start: int, end: int, perf: Any, *, base: int, partial: bool = False
) -> Chunk:
    """Follow the chain of records from ``start``; stop at the end, at a :data:`STOPS` record,
    after :data:`CHUNK_SAMPLES` samples, or where a size makes no sense (noted as missing).

    :param base: file offset that messages add (records unpacked from elsewhere)
    :param partial: a record cut at ``end`` is no fault: its rest comes with the next piece
    """
    if not partial:
        whole = _walk_fast(data, start, min(end, start + FAST_BYTES), perf, base)
        if whole is not None:
            return whole
    half = data[start : start + (end - start) // 2 * 2].data.cast("B").cast("H")
    samples: list[int] = []
    pos, stop = 0, len(half)
    out = Chunk(data, np.zeros(0, np.int64), start, base)
    add, limit = samples.append, CHUNK_SAMPLES
    while pos + 4 <= stop:
        step = half[pos + 3] >> 1
        kind = half[pos]
        if step < 4 or pos + step > stop:
            if not (partial and step >= 4):
                _note_bad(perf, base + start + pos * 2, half[pos + 3], kind)
                pos = stop
            break
        if kind == SAMPLE:
            add(pos)
            if len(samples) >= limit:
                pos += step
                out.stop = None if pos >= stop else (SAMPLE, start + pos * 2, 0)
                break
        elif kind in STOPS:
            out.stop = (kind, start + pos * 2, half[pos + 3])
            break
        else:
            _side_record(data, start + pos * 2, step * 2, kind, perf)
        pos += step
    out.samples = np.array(samples, dtype=np.int64) * 2 + start
    out.file_end = start + pos * 2
    return out


def _walk_fast(data: U8, start: int, end: int, perf: Any, base: int) -> Chunk | None:
    offsets = find_records(data, start, end)
    if offsets is None:
        return None
    kinds = strided(data, "<u2")[offsets]
    is_sample = kinds == SAMPLE
    if np.isin(kinds, tuple(STOPS)).any():
        return None
    for at in offsets[~is_sample].tolist():
        size = int.from_bytes(data[at + 6 : at + 8].tobytes(), "little")
        _side_record(data, at, size, int(data[at]) | int(data[at + 1]) << 8, perf)
    more = None if end >= perf.end else (SAMPLE, end, 0)
    return Chunk(data, offsets[is_sample], end, base, more)


def _note_bad(perf: Any, offset: int, size: int, kind: int) -> None:
    perf.log.add(
        "corrupt",
        f"a record of type {kind} has size {size}; the rest is left out",
        offset=offset,
        section="data",
        expected="8 bytes or more, within the data section",
    )


def _side_record(data: U8, at: int, size: int, kind: int, perf: Any) -> None:
    body = data[at + 8 : at + size].tobytes()
    if kind == COMM and len(body) > 8:
        tid = int.from_bytes(body[4:8], "little", signed=True)
        back = perf.attrs[0].trailer_time()
        time = int.from_bytes(body[-back : len(body) - back + 8], "little") if back else 0
        perf.names.set(tid, time, body[8:].split(b"\0", 1)[0][:16])
    elif kind == FORK and len(body) >= 24:
        tid, parent, time = struct.unpack_from("<iiQ", body, 8)
        if name := perf.names.at(parent, time):
            perf.names.set(tid, time, name)
    elif kind in (LOST, LOST_SAMPLES):
        skip = 8 if kind == LOST else 0
        if len(body) >= skip + 8:
            lost = int.from_bytes(body[skip : skip + 8], "little")
            perf.log.add(
                "lost", f"{lost} samples lost by the kernel", offset=at, section="data", count=lost
            )


def decode_samples(
    chunk: Chunk, attrs: list[Attr], by_id: dict[int, int], log: MissingLog
) -> Iterator[Batch]:
    """Split the samples of a chunk by their layout and decode their common items."""
    layout_of = [(a.sample_type, a.read_format if a.sample_type & S_READ else 0) for a in attrs]
    layouts = sorted(set(layout_of))
    if len(layouts) == 1:
        yield from _decode_layout(chunk, chunk.samples, attrs[0], log)
        return
    if not all(a.sample_type & S_IDENTIFIER for a in attrs):
        fail(
            "LP0606",
            "events of different sample layouts without an identifier",
            file=log.file,
            offset=chunk.base,
            section="attrs",
            got=f"{len(layouts)} layouts",
            expected="PERF_SAMPLE_IDENTIFIER in each (newer perf sets it)",
        )
    number = strided(chunk.data, "<u8")[chunk.samples + 8]
    unique, inverse = np.unique(number, return_inverse=True)
    place = {i: layouts.index(key) for i, key in enumerate(layout_of)}
    which = np.array([place.get(by_id.get(n, -1), -1) for n in unique.tolist()], dtype=np.int64)
    owner = which[inverse] if unique.size else which
    for index in np.unique(owner).tolist():
        rows = chunk.samples[owner == index]
        if index < 0:
            log.add("corrupt", f"{rows.size} samples of an unknown event", offset=int(rows[0]))
        else:
            attr = attrs[layout_of.index(layouts[index])]
            yield from _decode_layout(chunk, rows, attr, log)


def _decode_layout(chunk: Chunk, rows: I64, attr: Attr, log: MissingLog) -> Iterator[Batch]:
    data = chunk.data
    if not rows.size:
        return
    if not attr.sample_type & S_RAW:
        log.add("corrupt", f"{rows.size} samples carry no raw data", section="data")
        return
    length = strided(data, "<u2")[rows + 6].astype(np.int64)
    raw = _raw_offset(data, rows, length, attr)
    fits = raw + 4 <= rows + length
    size = np.zeros(rows.size, dtype=np.int64)
    size[fits] = strided(data, "<u4")[raw[fits]]
    keep = fits & (size >= 8) & (raw + 4 + size <= rows + length)
    if not keep.all():
        log.add(
            "corrupt",
            f"{int((~keep).sum())} samples whose raw data does not fit left out",
            offset=chunk.base + int(rows[~keep][0]),
            section="data",
            expected="8 bytes or more of raw data within the record",
        )
        rows, raw, size = rows[keep], raw[keep], size[keep]
    at = raw + 4
    n = rows.size
    cpu = _item(data, rows, attr.offset_of(S_CPU), "<u4", n, -1).astype(np.int16)
    time = _item(data, rows, attr.offset_of(S_TIME), "<i8", n, 0)
    ids = strided(data, "<u2")[at]
    yield Batch(data, at, size, time, cpu, ids, np.zeros(n, dtype=np.int64))


def _item(data: U8, rows: I64, offset: int, dtype: str, n: int, default: int) -> NDArray[Any]:
    if offset < 0:
        return np.full(n, default, dtype=np.int64)
    return strided(data, dtype)[rows + offset]


def _raw_offset(data: U8, rows: I64, length: I64, attr: Attr) -> I64:
    # RAW stands behind READ and CALLCHAIN, whose lengths differ from sample to sample.
    raw = rows + attr.offset_of(S_RAW)
    words = strided(data, "<u8")
    last = rows + length - 8
    if attr.sample_type & S_READ:
        fmt = attr.read_format
        each = 1 + bool(fmt & READ_ID) + bool(fmt & READ_LOST)
        extra = bool(fmt & READ_ENABLED) + bool(fmt & READ_RUNNING)
        if fmt & READ_GROUP:
            count = words[np.minimum(raw, last)].astype(np.int64) & 0xFFFF
            raw = raw + 8 * (1 + extra + each * count)
        else:
            raw = raw + 8 * (each + extra)
    if attr.sample_type & S_CALLCHAIN:
        count = words[np.minimum(raw, last)].astype(np.int64) & 0xFFFF
        raw = raw + 8 + 8 * count
    return raw

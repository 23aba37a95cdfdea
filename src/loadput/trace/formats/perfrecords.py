"""The records of perf.data: the chain of them, and samples to columns."""

from __future__ import annotations

import bisect
import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cursor import fail
from ..decode import strided
from ..machine import find_loop
from ..pages import I64, U8, Room
from ..source import Batch, MissingLog, NameTable

LOST, COMM, FORK, SAMPLE, LOST_SAMPLES = 2, 3, 7, 9, 13
TRACING, AUXTRACE, COMPRESSED, COMPRESSED2 = 66, 71, 81, 83
# Records after which the caller must move by hand: foreign data follows, or packed records.
STOPS = frozenset({TRACING, AUXTRACE, COMPRESSED, COMPRESSED2})
# Records per batch: bounds memory whatever the file's size.
CHUNK_RECORDS = 1 << 14
_STOP_BYTES = np.zeros(256, dtype=np.uint8)
_STOP_BYTES[list(STOPS)] = 1

S_IP, S_TID, S_TIME, S_ADDR, S_READ, S_CALLCHAIN, S_ID, S_CPU = (1 << i for i in range(8))
S_PERIOD, S_STREAM_ID, S_RAW = 1 << 8, 1 << 9, 1 << 10
S_IDENTIFIER = 1 << 16
READ_ENABLED, READ_RUNNING, READ_ID, READ_GROUP, READ_LOST = 1, 2, 4, 8, 16
# enum perf_type_id, perf_hw_id and perf_sw_ids of include/uapi/linux/perf_event.h.
TYPE_TRACEPOINT = 2
EVENT_NAMES = {
    0: ("cycles", "instructions", "cache-references", "cache-misses", "branches", "branch-misses",
        "bus-cycles", "stalled-cycles-frontend", "stalled-cycles-backend", "ref-cycles"),
    1: ("cpu-clock", "task-clock", "page-faults", "context-switches", "cpu-migrations",
        "minor-faults", "major-faults", "alignment-faults", "emulation-faults", "dummy",
        "bpf-output", "cgroup-switches"),
}  # fmt: skip
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

    def layout(self) -> tuple[int, ...]:
        """Where the items of a sample stand: the first part of ``loops.read_samples``'s layout.

        RAW stands behind READ and CALLCHAIN, whose lengths differ from sample to sample.
        """
        fixed = member = 0
        fmt = self.read_format
        if self.sample_type & S_READ:
            member = 8 * (1 + bool(fmt & READ_ID) + bool(fmt & READ_LOST))
            fixed = 8 * (bool(fmt & READ_ENABLED) + bool(fmt & READ_RUNNING))
            if not fmt & READ_GROUP:
                fixed, member = fixed + member, 0
            else:
                fixed += 8
        chain = bool(self.sample_type & S_CALLCHAIN)
        raw = self.offset_of(S_RAW)
        return self.offset_of(S_CPU), self.offset_of(S_TIME), raw, fixed, member, int(chain)

    @property
    def is_tracepoint(self) -> bool:
        return self.type == TYPE_TRACEPOINT

    @property
    def name(self) -> str:
        """What perf calls the event, without modifiers, where that is fixed."""
        names = EVENT_NAMES.get(self.type, ())
        if self.config < len(names):
            return names[self.config]
        return f"event type {self.type} config {self.config:#x}"

    def layout_key(self) -> tuple[int, int]:
        """Equal for events whose samples have one layout."""
        return self.sample_type, self.read_format if self.sample_type & S_READ else 0

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
    _changing: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(1, np.bool_))

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

    def fill(
        self, pid: NDArray[np.int32], time: I64, saved: dict[int, str], out: NDArray[Any]
    ) -> None:
        """Write the names of each (pid, time) to ``out``, ``S16``."""
        if self._fixed is None:
            self._compile(saved)
        assert self._fixed is not None
        self._fixed.fill(pid, out)
        rows = np.flatnonzero(self._changing.take(pid, mode="clip"))
        rows = rows[np.argsort(pid[rows], kind="stable")]
        starts = [*np.flatnonzero(np.diff(pid[rows], prepend=-1)).tolist(), rows.size]
        for low, high in itertools.pairwise(starts):
            mine = rows[low:high]
            tid = int(pid[mine[0]])
            at = np.searchsorted(np.array(self.times[tid]), time[mine], "right") - 1
            out[mine] = np.array(self.names[tid], dtype="S16")[np.maximum(at, 0)]

    def _compile(self, saved: dict[int, str]) -> None:
        # Most tasks have one name; the others are looked up by time.
        one = {t: n[-1].decode("utf-8", "replace") for t, n in self.names.items()}
        self._fixed = NameTable({**saved, **one})
        tids = [t for t, n in self.names.items() if len(set(n)) > 1 and 0 <= t < 1 << 22]
        self._changing = np.zeros(max(tids, default=0) + 2, dtype=np.bool_)
        self._changing[tids] = True


@dataclass(slots=True)
class Scratch:
    """What one reading of the file uses again for each chunk; ``seqs`` are samples of each CPU so
    far, ``others_seen`` those of events that are no tracepoints."""

    samples: I64 = field(default_factory=lambda: np.empty(CHUNK_RECORDS, np.int64))
    others: I64 = field(default_factory=lambda: np.empty(CHUNK_RECORDS, np.int64))
    seqs: I64 = field(default_factory=lambda: np.zeros(1 << 16, np.int64))
    room: Room = field(default_factory=Room)
    others_seen: dict[str, int] = field(default_factory=dict)

    def begin(self) -> None:
        """Begin another reading."""
        self.seqs[:] = 0
        self.others_seen = {}


def walk_records(
    data: U8, start: int, end: int, perf: Any, *, base: int, partial: bool = False
) -> Chunk:
    """Follow the chain of records from ``start``; stop at the end, at a :data:`STOPS` record,
    after :data:`CHUNK_RECORDS` of them, or where a size makes no sense (noted as missing).

    :param base: file offset that messages add (records unpacked from elsewhere)
    :param partial: a record cut at ``end`` is no fault: its rest comes with the next piece
    """
    end = min(end, data.size)
    samples, others = perf.scratch.samples, perf.scratch.others
    state = np.zeros(4, dtype=np.int64)
    state = np.concatenate([state, _STOP_BYTES.view(np.int64)])
    pos = find_loop("walk_chain")(
        data.ctypes.data, start, end, samples.size, samples.ctypes.data, others.ctypes.data,
        state.ctypes.data,
    )  # fmt: skip
    found, rest, why = state[:3].tolist()
    for at in [] if perf.is_named else others[:rest].tolist():
        kind, size = _header(data, at)
        _side_record(data, at, size, kind, perf)
    out = Chunk(data, samples[:found], pos, base)
    kind, size = _header(data, pos) if pos + 8 <= end else (0, 0)
    if why == 1:
        out.stop = (kind, pos, size)
    elif why == 2 and not (partial and size >= 8):
        _note_bad(perf, base + pos, size, kind)
        out.file_end = end
    elif why == 0 and pos + 8 <= end:
        out.stop = (SAMPLE, pos, 0)
    elif not partial:
        out.file_end = end
    return out


def _header(data: U8, at: int) -> tuple[int, int]:
    # Type (perf's are small) and size of a record.
    kind, _, _, size = struct.unpack("<4H", data[at : at + 8].tobytes())
    return kind, size


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
        perf.meta.processes[tid] = int.from_bytes(body[:4], "little", signed=True)
        back = perf.attrs[0].trailer_time()
        time = int.from_bytes(body[-back : len(body) - back + 8], "little") if back else 0
        perf.names.set(tid, time, body[8:].split(b"\0", 1)[0][:16])
    elif kind == FORK and len(body) >= 24:
        tid, parent, time = struct.unpack_from("<iiQ", body, 8)
        perf.meta.processes[tid] = int.from_bytes(body[:4], "little", signed=True)
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
    chunk: Chunk, attrs: list[Attr], by_id: dict[int, int], scratch: Scratch, log: MissingLog
) -> Iterator[Batch]:
    """Split the samples of a chunk by their layout and decode their common items.

    Samples of events that are no tracepoints are counted in ``scratch.others``.
    """
    if not chunk.samples.size:
        return
    layouts = sorted({a.layout_key() for a in attrs if a.is_tracepoint})
    # Attribute -> its layout; those that are no tracepoints come behind the layouts, one by one.
    class_of = [
        layouts.index(a.layout_key()) if a.is_tracepoint else len(layouts) + i
        for i, a in enumerate(attrs)
    ]
    if len(set(class_of)) == 1:
        if layouts:
            yield from _decode_layout(chunk, chunk.samples, attrs[0], scratch, log)
        else:
            _count_other(attrs[0], chunk.samples.size, scratch)
        return
    at = _place_of_id(attrs, chunk, log)
    number = strided(chunk.data, "<u8")[np.minimum(chunk.samples, chunk.data.size - at - 8) + at]
    place = {n: class_of[i] for n, i in by_id.items()}
    for index, rows in _split(chunk.samples, number, place):
        attr = attrs[class_of.index(index)] if index >= 0 else None
        if attr is None:
            log.add("corrupt", f"{rows.size} samples of an unknown event", offset=int(rows[0]))
        elif attr.is_tracepoint:
            yield from _decode_layout(chunk, rows, attr, scratch, log)
        else:
            _count_other(attr, rows.size, scratch)


def _place_of_id(attrs: list[Attr], chunk: Chunk, log: MissingLog) -> int:
    # Where every sample says whose it is, from its start.
    if all(a.sample_type & S_IDENTIFIER for a in attrs):
        return 8
    places = {a.offset_of(S_ID) for a in attrs}
    if len(places) == 1 and -1 not in places:
        return places.pop()
    fail(
        "LP0606",
        "events of different sample layouts without an identifier",
        file=log.file,
        offset=chunk.base,
        section="attrs",
        got=f"{len({a.layout_key() for a in attrs})} layouts",
        expected="PERF_SAMPLE_IDENTIFIER in each (newer perf sets it)",
    )


def _count_other(attr: Attr, count: int, scratch: Scratch) -> None:
    name = attr.name
    scratch.others_seen[name] = scratch.others_seen.get(name, 0) + int(count)


def _split(
    samples: I64, number: NDArray[np.uint64], place: dict[int, int]
) -> Iterator[tuple[int, I64]]:
    # The samples of each layout; of layout -1 those whose number is not known.
    ids = np.array([*sorted(place), (1 << 64) - 1], dtype=np.uint64)
    which = np.array([*(place[n] for n in sorted(place)), -1], dtype=np.int16)
    span = int(ids[-2]) - int(ids[0]) if place else 0
    if place and span < 1 << 16:  # the kernel counts them up: a table is faster than a search
        table = np.full(span + 2, -1, dtype=np.int16)
        table[(ids[:-1] - ids[0]).astype(np.int64)] = which[:-1]
        owner = table[np.minimum(number - ids[0], np.uint64(span + 1)).astype(np.int64)]
    else:
        at = np.searchsorted(ids, number)
        owner = np.where(ids[at] == number, which[at], -1)
    if owner.size and (owner == owner[0]).all():
        yield int(owner[0]), samples
        return
    for index in np.flatnonzero(np.bincount(owner + 1)).tolist():
        yield index - 1, samples[owner == index - 1]


def _decode_layout(
    chunk: Chunk, rows: I64, attr: Attr, scratch: Scratch, log: MissingLog
) -> Iterator[Batch]:
    data = chunk.data
    if not attr.sample_type & S_RAW:
        log.add("corrupt", f"{rows.size} samples carry no raw data", section="data")
        return
    layout = np.array([*attr.layout(), 0, 0], dtype=np.int64)
    scratch.room.reserve(rows.size)
    time, records = scratch.room.time, scratch.room.records
    kept = find_loop("read_samples")(
        rows.size, np.ascontiguousarray(rows).ctypes.data, data.ctypes.data, layout.ctypes.data,
        scratch.seqs.ctypes.data, time.ctypes.data, records.ctypes.data,
    )  # fmt: skip
    bad, first = layout[-2:].tolist()
    if bad:
        log.add(
            "corrupt",
            f"{bad} samples whose raw data does not fit left out",
            offset=chunk.base + first,
            section="data",
            expected="8 bytes or more of raw data within the record",
        )
    yield Batch(data, time[:kept], records[:kept])

"""The event table of a binary recording: held in memory where it fits, else read again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadput.base.errors import TraceError

from .decode import gather_fields
from .fields import EventFormat, Field
from .pages import U8
from .source import Batch, Progress, Source
from .table import Columns, find_ranges, table_name

# Unpacked records kept in memory between calls; above it the file is read again instead.
CACHE_BYTES = 512 << 20
# Memory of the index of one event, for the same decision.
INDEX_BYTES = 48
# A record with its share of page headers, about, to guess the number of events beforehand.
RECORD_BYTES = 48


class RawBackend:
    """Counts and columns of a :class:`.source.Source`.

    A recording that fits in ``cache_bytes`` is indexed once, sorted by event and time, and each
    column is then one gather. A larger one is streamed for each call: memory is then the columns
    asked for and one batch.
    """

    def __init__(
        self, source: Source, *, progress: Progress | None = None, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self.source = source
        self.file, self.kind, self.meta = source.file, source.kind, source.meta
        self._progress = progress
        self._limit = cache_bytes
        self._names: dict[str, EventFormat] = {}
        self._counted: dict[str, int] = {}
        self._whole: Index | None = None
        self._is_streamed = False

    def count_events(self) -> dict[str, int]:
        if self._build_index():
            counts = self._whole.counts if self._whole is not None else np.zeros(0, dtype=np.int64)
        else:
            counts = np.zeros(1 << 16, dtype=np.int64)
            for batch in self._batches():
                counts += np.bincount(batch.ids, minlength=1 << 16)
        out: dict[str, int] = {}
        for number in np.flatnonzero(counts).tolist():
            event = self.meta.by_id.get(number)
            name = event.name if event else f"unknown:{number}"
            if event is not None:
                _check_common(event, self.file)
                name = event.full_name if name in out else name
                self._names[name] = event
            out[name] = int(counts[number])
        self._counted = out
        return out

    def field_names(self, name: str) -> list[str]:
        event = self._names.get(name)
        return [table_name(f) for f in event.fields] if event else []

    def first_values(self, wanted: dict[str, str]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        if self._build_index():
            for name, columns in self.gather({n: [f] for n, f in wanted.items()}, set()).items():
                out[name] = columns[wanted[name]][0]
            return out
        left = {self._names[name].id: name for name in wanted}
        for batch in self.source.iter_batches(None, None):
            for number in set(np.unique(batch.ids).tolist()) & set(left):
                name = left.pop(number)
                at = int(np.flatnonzero(batch.ids == number)[0])
                found = self._decode(batch, slice(at, at + 1), name, [wanted[name]])
                out[name] = found[wanted[name]][0]
            if not left:
                break
        return out

    def print_format(self, name: str) -> str:
        event = self._names.get(name)
        return event.print_fmt if event else ""

    def cpu_ranges(self) -> dict[int, tuple[int, int]]:
        if self._build_index() and self._whole is not None:
            return self._whole.cpu_ranges()
        out: dict[int, tuple[int, int]] = {}
        for batch in self._batches():
            for cpu, (low, high) in find_ranges(batch.cpu, batch.time).items():
                before = out.get(cpu, (low, high))
                out[cpu] = (min(before[0], low), max(before[1], high))
        return out

    def gather(self, wanted: dict[str, list[str]], with_comm: set[str]) -> dict[str, Columns]:
        if self._build_index() and self._whole is not None:
            out = {}
            for name, fields in wanted.items():
                event = self._names.get(name)
                rows = self._whole.event_rows(event.id) if event else _EMPTY
                out[name] = self._decode(rows, slice(None), name, fields)
        else:
            out = self._gather_streamed(wanted)
        for name in with_comm:
            out[name]["comm"] = self.source.task_name(out[name]["pid"], out[name]["time_ns"])
        return out

    def _batches(self, arena: U8 | None = None) -> Iterator[Batch]:
        yield from self.source.iter_batches(self._progress, arena)

    def _build_index(self) -> bool:
        # One index over all records, unless the recording is too large for it.
        if self._whole is not None or self._is_streamed:
            return self._whole is not None
        guess = self.source.data_bytes() // RECORD_BYTES * INDEX_BYTES
        fits = self.source.arena_bytes() + guess <= self._limit
        arena = self.source.new_arena() if fits else None
        held, parts = 0, []
        for batch in self._batches(arena) if arena is not None else ():
            held += INDEX_BYTES * batch.offset.size
            if batch.origin < 0 or held > self._limit:
                arena = None
                break
            batch.offset = batch.offset + batch.origin
            parts.append(batch)
        self._is_streamed = arena is None
        if arena is not None:
            self._whole = Index(arena, parts)
        return self._whole is not None

    def _gather_streamed(self, wanted: dict[str, list[str]]) -> dict[str, Columns]:
        # Columns are laid out at full length first, so that no batch is copied twice.
        whole = {n: self._decode(_EMPTY, slice(0, 0), n, f) for n, f in wanted.items()}
        filled = dict.fromkeys(wanted, 0)
        for name, columns in whole.items():
            for key, column in columns.items():
                shape = (self._counted.get(name, 0), *column.shape[1:])
                columns[key] = np.empty(shape, dtype=column.dtype)
        events = {self._names[n].id: (n, f) for n, f in wanted.items() if n in self._names}
        numbers = np.array(sorted(events), dtype=np.uint16)
        for batch in self._batches():
            order = np.argsort(batch.ids, kind="stable")
            ids = batch.ids[order]
            batch = Batch(
                batch.data, batch.offset[order], batch.size[order], batch.time[order],
                batch.cpu[order], ids, batch.seq[order],
            )  # fmt: skip
            low, high = np.searchsorted(ids, numbers), np.searchsorted(ids, numbers, "right")
            for number, a, b in zip(numbers.tolist(), low.tolist(), high.tolist(), strict=True):
                if a < b:
                    name, fields = events[number]
                    start = filled[name]
                    filled[name] = start + b - a
                    for key, column in self._decode(batch, slice(a, b), name, fields).items():
                        whole[name][key][start : start + b - a] = column
        return {name: _sort_columns(columns) for name, columns in whole.items()}

    def _decode(self, batch: Batch, rows: slice, name: str, fields: list[str]) -> Columns:
        event = self._names.get(name)
        offset, size = batch.offset[rows], batch.size[rows]
        out: Columns = {"time_ns": batch.time[rows], "cpu": batch.cpu[rows]}
        out["seq"] = batch.seq[rows]
        if event is None:
            event = _BARE
        own = {table_name(f.name): f for f in event.fields.values()}
        keys = ["pid", "flags", "preempt_depth", *fields]
        try:
            wanted = [_BARE.fields[k] for k in keys[:3]] + [own[k] for k in fields]
            found = gather_fields(batch.data, offset, size, event, wanted)
        except TraceError as why:
            why.where = f"{self.file}: {why.where}"
            raise
        out.update(zip(keys, found, strict=True))
        return out


# The common header, as every format has it; checked against them in _check_common.
_BARE = EventFormat(
    "unknown",
    "",
    -1,
    {
        "pid": Field("pid", "int common_pid", 4, 4, True, "int", 4),
        "flags": Field("flags", "unsigned char common_flags", 2, 1, False, "int", 1),
        "preempt_depth": Field("preempt_depth", "unsigned char", 3, 1, False, "int", 1),
    },
    {},
    "",
)
_COMMON_LAYOUT = {
    "common_type": (0, 2),
    "common_flags": (2, 1),
    "common_preempt_count": (3, 1),
    "common_pid": (4, 4),
}


def _check_common(event: EventFormat, file: str) -> None:
    for name, (offset, size) in _COMMON_LAYOUT.items():
        field = event.common.get(name)
        if field is not None and (field.offset, field.size) != (offset, size):
            raise TraceError(
                "LP0606",
                f"event {event.full_name} has another common header",
                where=file,
                got=f"{name} at {field.offset}, {field.size} bytes",
                expected=f"at {offset}, {size} bytes",
            )


def _blank() -> Batch:
    none = np.zeros(0, dtype=np.int64)
    return Batch(
        np.zeros(0, dtype=np.uint8),
        none,
        none,
        none,
        none.astype(np.int16),
        none.astype(np.uint16),
        none,
    )


_EMPTY = _blank()


_RECORD = np.dtype(
    [("time", "<i8"), ("offset", "<i8"), ("seq", "<i8"), ("size", "<i4"), ("cpu", "<i2")],
    align=True,
)


class Index:
    """All records of a recording in memory, grouped by event; times are sorted when asked for."""

    __slots__ = ("_arena", "_first", "_records", "_rows", "counts")

    def __init__(self, arena: U8, parts: list[Batch]) -> None:
        parts = parts or [_EMPTY]
        self._arena = arena
        ids = np.concatenate([p.ids for p in parts])
        # One record per event, so that looking one up touches one place in memory, not five.
        self._records = np.empty(ids.size, dtype=_RECORD)
        start = 0
        for part in parts:
            stop = start + part.offset.size
            for name in _RECORD.names or ():
                self._records[name][start:stop] = getattr(part, name)
            start = stop
        self.counts = np.bincount(ids, minlength=1 << 16)
        present = np.flatnonzero(self.counts)
        kind: NDArray[np.unsignedinteger[Any]] = ids
        if present.size <= 256:  # a radix sort of bytes is one pass
            dense = np.zeros(1 << 16, dtype=np.uint8)
            dense[present] = np.arange(present.size)
            kind = dense[ids]
        self._rows = np.argsort(kind, kind="stable")
        stops = np.cumsum(self.counts[present])
        starts = stops - self.counts[present]
        self._first = {
            int(n): (int(a), int(b)) for n, a, b in zip(present, starts, stops, strict=True)
        }

    def cpu_ranges(self) -> dict[int, tuple[int, int]]:
        """The first and the last time of each CPU."""
        return find_ranges(self._records["cpu"], self._records["time"])

    def event_rows(self, number: int) -> Batch:
        """The records of one event, by time, then CPU and position."""
        start, stop = self._first.get(number, (0, 0))
        found = self._records.view(f"V{_RECORD.itemsize}")[self._rows[start:stop]].view(_RECORD)
        when = np.ascontiguousarray(found["time"])
        if when.size > 1 and not bool((when[1:] >= when[:-1]).all()):
            order = np.argsort(when, kind="stable")
            found = found.view(f"V{_RECORD.itemsize}")[order].view(_RECORD)
        offset, size, when, cpu, seq = (
            np.ascontiguousarray(found[name]) for name in ("offset", "size", "time", "cpu", "seq")
        )
        ids = np.full(when.size, number, dtype=np.uint16)
        return Batch(self._arena, offset, size, when, cpu, ids, seq)


def _sort_columns(columns: Columns) -> Columns:
    # By time, then CPU and position: stable over the order of the buffers.
    time = columns["time_ns"]
    if time.size < 2 or bool((time[1:] >= time[:-1]).all()):
        return columns
    order = np.argsort(time, kind="stable")
    for key in list(columns):
        columns[key] = columns[key][order]
    return columns

"""The event table of a binary recording: held in memory where it fits, else read again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from loadput.base.errors import TraceError

from .decode import gather_fields
from .fields import EventFormat, Field
from .pages import I64, U8
from .source import Batch, Progress, Source
from .table import Columns, table_name

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
        self._whole: Batch | None = None
        self._rows: dict[int, slice] = {}
        self._is_streamed = False

    def count_events(self) -> dict[str, int]:
        counts = np.zeros(1 << 16, dtype=np.int64)
        if self._index():
            for number, rows in self._rows.items():
                counts[number] = rows.stop - rows.start
        else:
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
        return out

    def field_names(self, name: str) -> list[str]:
        event = self._names.get(name)
        return [table_name(f) for f in event.fields] if event else []

    def print_format(self, name: str) -> str:
        event = self._names.get(name)
        return event.print_fmt if event else ""

    def gather(self, wanted: dict[str, list[str]], with_comm: set[str]) -> dict[str, Columns]:
        if self._index() and self._whole is not None:
            whole, out = self._whole, {}
            for name, fields in wanted.items():
                event = self._names.get(name)
                rows = self._rows.get(event.id, slice(0, 0)) if event else slice(0, 0)
                out[name] = self._decode(whole, rows, name, fields)
        else:
            out = self._gather_streamed(wanted)
        for name in with_comm:
            out[name]["comm"] = self.source.task_name(out[name]["pid"], out[name]["time_ns"])
        return out

    def _batches(self, arena: U8 | None = None) -> Iterator[Batch]:
        yield from self.source.iter_batches(self._progress, arena)

    def _index(self) -> bool:
        # Build the one sorted index, unless the recording is too large for it.
        if self._whole is not None or self._is_streamed:
            return self._whole is not None
        index = self.source.data_bytes() // RECORD_BYTES * INDEX_BYTES
        fits = self.source.arena_bytes() + index <= self._limit
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
            self._whole = _sort_batches(arena, parts)
            ids = self._whole.ids
            edge = np.flatnonzero(ids[1:] != ids[:-1]) + 1
            starts = [0, *edge.tolist()] if ids.size else []
            stops = [*edge.tolist(), ids.size]
            self._rows = {int(ids[a]): slice(a, b) for a, b in zip(starts, stops, strict=False)}
        return self._whole is not None

    def _gather_streamed(self, wanted: dict[str, list[str]]) -> dict[str, Columns]:
        parts: dict[str, list[Columns]] = {name: [] for name in wanted}
        events = {self._names[n].id: (n, f) for n, f in wanted.items() if n in self._names}
        for batch in self._batches():
            order = np.argsort(batch.ids, kind="stable")
            ids = batch.ids[order]
            numbers = np.array(sorted(events), dtype=np.uint16)
            low, high = np.searchsorted(ids, numbers), np.searchsorted(ids, numbers, "right")
            for number, a, b in zip(numbers.tolist(), low.tolist(), high.tolist(), strict=True):
                if a < b:
                    name, fields = events[number]
                    parts[name].append(self._decode(batch, order[a:b], name, fields))
        return {
            name: _join(parts[name]) if parts[name] else self._decode(_EMPTY, slice(0, 0), name, f)
            for name, f in wanted.items()
        }

    def _decode(self, batch: Batch, rows: I64 | slice, name: str, fields: list[str]) -> Columns:
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


def _sort_batches(arena: U8, parts: list[Batch]) -> Batch:
    # By event number, then time, then CPU and position (the order of the parts).
    if not parts:
        return _EMPTY
    time = np.concatenate([p.time for p in parts])
    ids = np.concatenate([p.ids for p in parts])
    order = np.argsort(time, kind="stable")
    order = order[np.argsort(ids[order], kind="stable")]
    return Batch(
        arena,
        np.concatenate([p.offset for p in parts])[order],
        np.concatenate([p.size for p in parts])[order],
        time[order],
        np.concatenate([p.cpu for p in parts])[order],
        ids[order],
        np.concatenate([p.seq for p in parts])[order],
    )


def _join(parts: list[Columns]) -> Columns:
    time = np.concatenate([p["time_ns"] for p in parts])
    order = np.argsort(time, kind="stable")
    out: Columns = {}
    for key in list(parts[0]):
        out[key] = np.concatenate([p.pop(key) for p in parts])[order]
    return out

"""The event table of a binary recording, read again for each question."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadput.base.errors import TraceError

from .decode import column_type, gather_field, is_plain
from .fields import EventFormat, Field
from .machine import find_loop
from .pages import BUFFER_SHIFT, I64, RECORD, new_block
from .positions import Cut, Positions
from .source import Batch, Progress, Source
from .table import Columns, table_name


class RawBackend:
    """Counts and columns of a :class:`.source.Source`.

    A record is found and decoded in some 50 ns. Where the records stand is kept, in at most
    ``keep_bytes``; a larger recording is walked again by each call, whose memory is then the
    columns asked for and one batch of each buffer.
    """

    def __init__(
        self, source: Source, *, progress: Progress | None = None, keep_bytes: int = 0
    ) -> None:
        self.source = source
        self.file, self.kind, self.meta = source.file, source.kind, source.meta
        self._progress = progress
        self._names: dict[str, EventFormat] = {}
        self._counted: dict[str, int] = {}
        self._ranges: dict[int, tuple[int, int]] = {}
        # Rows to keep of each event, where it may stand in two buffers.
        self._once: dict[str, NDArray[np.bool_]] = {}
        self._keep_bytes = keep_bytes
        self._kept: Positions | None = None

    def count_events(self) -> dict[str, int]:
        counts = np.zeros(1 << 16, dtype=np.int64)
        most = np.iinfo(np.int64).max
        lows, highs = np.full(1 << 16, most), np.full(1 << 16, -most - 1)
        for run in self.source.runs(self._progress):
            for batch in run:
                find_loop("tally")(
                    batch.time.size, batch.time.ctypes.data, batch.records.ctypes.data,
                    counts.ctypes.data, lows.ctypes.data, highs.ctypes.data,
                )  # fmt: skip
        cpus = np.flatnonzero(lows <= highs)
        for cpu, low, high in zip(cpus.astype(np.int16), lows[cpus], highs[cpus], strict=True):
            self._ranges[int(cpu)] = int(low), int(high)
        out: dict[str, int] = {}
        for number in np.flatnonzero(counts).tolist():
            event = self.meta.by_id.get(number)
            if event is None:  # no fields, but when and where and whose
                event = EventFormat(f"unknown:{number}", "", number, {}, {}, "")
            _check_common(event, self.file)
            name = event.full_name if event.name in out else event.name
            self._names[name] = event
            out[name] = int(counts[number])
        self._counted = dict(out)
        if len(self.source.buffers) > 1:
            for name, columns in self._gather_all({n: [_HASH.name] for n in self._names}).items():
                self._once[name] = find_once(columns)
                out[name] = int(self._once[name].sum())
        return out

    def recorded(self) -> int:
        return sum(self._counted.values())

    def field_names(self, name: str) -> list[str]:
        event = self._names.get(name)
        return [table_name(f) for f in event.fields] if event else []

    def first_values(self, wanted: dict[str, str]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        left = {self._names[name].id: name for name in wanted}
        for batch in (b for run in self.source.runs(None) for b in run):
            for number in set(np.unique(batch.records["id"]).tolist()) & set(left):
                name = left.pop(number)
                at = int(np.flatnonzero(batch.records["id"] == number)[0])
                field = _own(self._names[name])[wanted[name]]
                out[name] = self._gather([batch], batch.records[at : at + 1], name, field)[0]
            if not left:
                break
        return out

    def print_format(self, name: str) -> str:
        event = self._names.get(name)
        return event.print_fmt if event else ""

    def known_names(self) -> dict[int, str]:
        return self.source.known_names()

    def cpu_ranges(self) -> dict[int, tuple[int, int]]:
        return dict(sorted(self._ranges.items()))

    def gather(self, wanted: dict[str, list[str]], with_comm: set[str]) -> dict[str, Columns]:
        out = self._gather_all(wanted, with_comm)
        for name, columns in out.items() if self._once else ():
            columns["seq"] &= (1 << BUFFER_SHIFT) - 1
            once = self._once.get(name)
            if once is not None and once.size == columns["seq"].size:
                out[name] = {key: column[once] for key, column in columns.items()}
        return out

    def _gather_all(
        self, wanted: dict[str, list[str]], with_comm: set[str] | frozenset[str] = frozenset()
    ) -> dict[str, Columns]:
        out = self._new_columns(wanted, with_comm)
        present = [name for name in wanted if name in self._names]
        if self._kept is None and 2 * len(present) < len(self._names):
            self._find_positions()
        if self._kept is not None and self._kept.fits:
            self._decode_kept(self._kept, present, wanted, out)
        else:
            self._decode_all(present, wanted, out)
        for name, columns in out.items():
            if name in with_comm:
                self.source.fill_names(columns["pid"], columns["time_ns"], columns["comm"])
            out[name] = _sort_columns(columns)
        return out

    def _find_positions(self) -> None:
        # Who asks for few events will ask again; for all of them a walk is as good, and smaller.
        self._kept = kept = Positions(self._keep_bytes)
        for at, run in enumerate(self.source.runs(self._progress)):
            for batch in run:
                kept.add(at, batch)
                if not kept.fits:
                    return
        kept.finish()

    def _decode_kept(
        self, kept: Positions, present: list[str], wanted: dict[str, list[str]],
        out: dict[str, Columns],
    ) -> None:  # fmt: skip
        for name in present:
            cut = kept.of(self._names[name].id)
            plan = Plan([(self._names[name], out[name], wanted[name])])
            plan.run(cut)
            if plan.short[0]:
                self._raise_short(cut, plan.short[0], name, wanted[name], kept.batches)
            self._fill(kept.batches, name, plan.others[0], out[name], 0, plan.rows()[0])

    def _decode_all(
        self, present: list[str], wanted: dict[str, list[str]], out: dict[str, Columns]
    ) -> None:
        plan = Plan([(self._names[n], out[n], wanted[n]) for n in present])
        for cut in _in_order(self.source.runs(self._progress)):
            before = plan.rows()
            plan.run(cut)
            after = plan.rows()
            batches = [batch for batch, _, _ in cut]
            for at, name in enumerate(present):
                if plan.short[at]:
                    self._raise_short(cut, plan.short[at], name, wanted[name], batches)
                if before[at] < after[at]:
                    self._fill(batches, name, plan.others[at], out[name], before[at], after[at])
        for name, rows in zip(present, plan.rows(), strict=True):
            if rows < self._counted[name]:  # the file was cut since it was counted
                out[name] = {key: column[:rows] for key, column in out[name].items()}

    def _new_columns(
        self, wanted: dict[str, list[str]], with_comm: set[str] | frozenset[str]
    ) -> dict[str, Columns]:
        # At full length and undecided; the columns that every event has come first. All in one
        # block: the system hands out large blocks several times faster than many small ones.
        shapes: dict[tuple[str, str], tuple[np.dtype[Any], tuple[int, ...]]] = {}
        for name, fields in wanted.items():
            event = self._names.get(name)
            count = self._counted[name] if event else 0
            for key, word in _COMMON_TYPES:
                shapes[name, key] = np.dtype(word), (count,)
            own = _own(event)
            for key in fields if event else ():
                kind, shape = column_type(own[key])
                shapes[name, key] = kind, (count, *shape)
            if name in with_comm:
                shapes[name, "comm"] = np.dtype("S16"), (count,)
        sizes = [kind.itemsize * math.prod(shape) for kind, shape in shapes.values()]
        block = new_block(sum(-(-size // _ALIGN) * _ALIGN for size in sizes))
        out: dict[str, Columns] = {name: {} for name in wanted}
        at = 0
        for ((name, key), (kind, shape)), size in zip(shapes.items(), sizes, strict=True):
            if kind.hasobject:
                out[name][key] = np.empty(shape, dtype=kind)
                continue
            out[name][key] = block[at : at + size].view(kind).reshape(shape)
            at += -(-size // _ALIGN) * _ALIGN
        return out

    def _fill(
        self, batches: list[Batch], name: str, others: Others, out: Columns, low: int, high: int
    ) -> None:
        # Fields that are no plain numbers or text, of the rows just decoded.
        for key in others.keys:
            field = _own(self._names[name])[key]
            out[key][low:high] = self._gather(batches, others.records[low:high], name, field)

    def _gather(self, batches: list[Batch], records: Any, name: str, field: Field) -> Any:
        # The records of several batches, each from its own bytes.
        event, out = self._names[name], None
        for batch in batches:
            start = batch.data.ctypes.data
            mine = (records["at"] >= start) & (records["at"] < start + batch.data.size)
            rows = np.flatnonzero(mine)
            if rows.size or out is None:
                offset = records["at"][rows] - start
                try:
                    got = gather_field(
                        batch.data, offset, records["size"][rows].astype(np.int64), event, field
                    )
                except TraceError as why:
                    why.where = f"{self.file}: {why.where}"
                    raise
                if out is None:
                    out = np.empty((records.size, *got.shape[1:]), dtype=got.dtype)
                out[rows] = got
        return out

    def _raise_short(
        self, cut: Cut, record: int, name: str, fields: list[str], batches: list[Batch]
    ) -> None:
        own = _own(self._names[name])
        for _, _, records in cut:
            at = (record - records.ctypes.data) // RECORD.itemsize
            if 0 <= at < records.size:
                for key in fields:
                    self._gather(batches, records[at : at + 1], name, own[key])


@dataclass(slots=True)
class Others:
    """Fields of an event that are neither a number nor text of a fixed length, and the records
    that hold them."""

    keys: list[str]
    records: Any


class Plan:
    """What ``loops.decode`` is to write where: see there."""

    def __init__(self, events: list[tuple[EventFormat, Columns, list[str]]]) -> None:
        self._slots = np.zeros(1 << 16, dtype=np.uint16)
        self._plans = np.zeros((len(events), 12), dtype=np.int64)
        self.short = self._plans[:, 4]
        self.others: list[Others] = []
        rows: list[tuple[int, int, int, int]] = []
        for at, (event, columns, wanted) in enumerate(events):
            fields = _own(event)
            plain = {key: fields[key] for key in wanted if is_plain(fields[key])}
            others = [key for key in wanted if key not in plain]
            size = columns["seq"].size
            self.others.append(Others(others, np.empty(size if others else 0, dtype=RECORD)))
            first = len(rows)
            if others:
                rows.append((9, 0, self.others[at].records.ctypes.data, 0))
            for key, one in plain.items():
                width = {"text": 0, "hash": 11}.get(one.kind, one.element_bytes)
                place = columns[key].ctypes.data
                rows.append((width, one.offset, place, columns[key].dtype.itemsize))
            need = max((f.offset + f.size for f in plain.values()), default=0)
            common = [columns[key].ctypes.data for key, _ in _COMMON_TYPES]
            self._plans[at] = [0, first, len(rows), need, 0, *common, size]
            self._slots[event.id] = at + 1
        self._fields = np.array(rows or [(0, 0, 0, 0)], dtype=np.int64)

    def rows(self) -> list[int]:
        """How many rows each event has so far."""
        out: list[int] = self._plans[:, 0].tolist()
        return out

    def run(self, cut: Cut) -> None:
        """Decode the records of a cut."""
        runs = np.zeros((len(cut), 3), dtype=np.int64)
        heads = []
        for at, (_, time, records) in enumerate(cut):
            start = time.ctypes.data
            runs[at] = start, records.ctypes.data, start + 8 * time.size
            heads.append((int(time[0]), at))
        # Sorted, and so a heap.
        rows = [at for _, at in sorted(heads)]
        heap = runs.ctypes.data + np.array(rows, dtype=np.int64) * runs.itemsize * 3
        find_loop("decode")(
            heap.ctypes.data, heap.size, self._slots.ctypes.data, self._plans.ctypes.data,
            self._fields.ctypes.data,
        )  # fmt: skip


# Two buffers' stamps of one event: an interrupt may come between them.
COPY_NS = 1_000_000
# Columns start on cache lines of their own.
_ALIGN = 64
# The columns that every event has, in the order of a plan.
_COMMON_TYPES = (
    ("time_ns", np.int64), ("cpu", np.int16), ("seq", np.int64), ("pid", np.int32),
    ("flags", np.uint8), ("preempt_depth", np.uint8),
)  # fmt: skip
_COMMON_LAYOUT = {
    "common_type": (0, 2),
    "common_flags": (2, 1),
    "common_preempt_count": (3, 1),
    "common_pid": (4, 4),
}


# All bytes of a record, as one number.
_HASH = Field("#", "", 0, 1, True, "hash", 8)


def _own(event: EventFormat | None) -> dict[str, Field]:
    if event is None:
        return {}
    return {table_name(f.name): f for f in event.fields.values()} | {_HASH.name: _HASH}


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


@dataclass(slots=True)
class Held:
    """What is read of one buffer and not yet passed on; ``run`` is None at its end.

    ``parts`` are (batch, times, records), one behind the other: the last batch, and before it a
    copy of what was left of those before.
    """

    run: Iterator[Batch] | None
    parts: list[tuple[Batch, I64, Any]] = field(default_factory=list)

    def read(self) -> None:
        """Take one more batch."""
        left = [(b, time.copy(), records.copy()) for b, time, records in self.parts]
        batch = next(self.run, None) if self.run is not None else None
        if batch is None:
            self.run, self.parts = None, left
        elif batch.time.size:
            self.parts = [*left, (batch, batch.time, batch.records)]

    def last(self) -> int:
        """The newest time at hand."""
        return int(self.parts[-1][1][-1])

    def cut(self, limit: int | None) -> Cut:
        """Take out what is older than ``limit``; None: everything."""
        out: Cut = []
        left: Cut = []
        for batch, time, records in self.parts:
            at = time.size if limit is None else int(np.searchsorted(time, limit))
            if at:
                out.append((batch, time[:at], records[:at]))
            if at < time.size:
                left.append((batch, time[at:], records[at:]))
        self.parts = left
        return out


def _in_order(runs: list[Iterator[Batch]]) -> Iterator[Cut]:
    """Parts of the buffers that come before all that is not yet read.

    That is what is older than the newest record at hand of each buffer: nothing older is to come,
    where the clock of a buffer does not run back.
    """
    held = [Held(run) for run in runs]
    while held:
        for one in held:
            while one.run is not None and not one.parts:
                one.read()
        held = [one for one in held if one.parts]
        ends = [one.last() for one in held if one.run is not None]
        limit = min(ends) if ends and len(held) > 1 else None
        cut = [part for one in held for part in one.cut(limit)]
        if cut:
            yield cut
        for one in held:  # more of the same time may be to come
            if one.run is not None and one.parts and one.last() == limit:
                one.read()


def find_once(columns: Columns) -> NDArray[np.bool_]:
    """Which rows of an event are no second copy of one in another buffer.

    The kernel writes an event that two buffers record to one after the other, with a time stamp of
    its own each. So a copy has the same bytes, on the same CPU, in another buffer, and comes next
    among those, within :data:`COPY_NS`.
    """
    time, cpu, same, buffer = (
        columns["time_ns"], columns["cpu"], columns[_HASH.name], columns["seq"] >> BUFFER_SHIFT
    )  # fmt: skip
    once = np.ones(time.size, dtype=np.bool_)
    order = np.lexsort((time, same, cpu))
    near = (np.diff(cpu[order]) == 0) & (np.diff(same[order]) == 0)
    near &= (np.diff(buffer[order]) != 0) & (np.diff(time[order]) <= COPY_NS)
    first, seen, before = -1, set(), -2
    for at in np.flatnonzero(near).tolist():
        row, next_row = int(order[at]), int(order[at + 1])
        if at != before + 1 or first < 0:  # not the pair after the last one: a new event
            first, seen = row, {int(buffer[row])}
        before = at
        if int(buffer[next_row]) in seen or time[next_row] - time[first] > COPY_NS:
            first, seen = next_row, {int(buffer[next_row])}
        else:
            once[next_row] = False
            seen.add(int(buffer[next_row]))
    return once


def _sort_columns(columns: Columns) -> Columns:
    # A buffer's clock may run back, and perf's samples come CPU by CPU.
    time = columns["time_ns"]
    if time.size < 2 or bool((time[1:] >= time[:-1]).all()):
        return columns
    order = np.argsort(time, kind="stable")
    for column in columns.values():  # in place: what stands there is in one block
        column[...] = column[order]
    return columns

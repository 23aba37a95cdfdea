"""The columnar event table that every reader gives: counts, columns on demand, what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from loadput.base.errors import TraceError

from .decode import Column
from .metadata import Metadata, Missing, Symbols, read_symbols
from .names import CARRIERS, UNNAMED, fill_unnamed, names_in

Columns = dict[str, Column]
Wanted = Mapping[str, Iterable[str] | None]

# enum trace_flag_type of include/linux/trace_events.h
FLAG_IRQS_OFF, FLAG_NEED_RESCHED, FLAG_HARDIRQ, FLAG_SOFTIRQ = 0x01, 0x04, 0x08, 0x10
FLAG_PREEMPT_RESCHED, FLAG_NMI, FLAG_BH_OFF = 0x20, 0x40, 0x80
COMMON = ("time_ns", "cpu", "pid", "flags", "preempt_depth", "seq")
# An event's own field of one of these names is called `<name>_field` in the table.
TAKEN = frozenset({*COMMON, "comm"})


class EventCounts(dict[str, int]):
    """Event names to counts; ``counts["kvm:kvm_entry"]`` finds ``kvm_entry`` too."""

    def __missing__(self, name: str) -> int:
        bare = name.rpartition(":")[2]
        if bare != name and bare in self:
            return self[bare]
        raise KeyError(name)


class Backend(Protocol):
    """What :class:`Trace` needs of a reader."""

    file: str
    kind: str
    meta: Metadata

    def count_events(self) -> dict[str, int]:
        """Events by name."""

    def recorded(self) -> int:
        """How many records there are, an event in two buffers twice."""

    def field_names(self, name: str) -> list[str]:
        """The fields of one event."""

    def first_values(self, wanted: dict[str, str]) -> dict[str, Any]:
        """One value of one field of each event, without reading all of them."""

    def print_format(self, name: str) -> str:
        """The print format of one event; empty where there is none."""

    def known_names(self) -> dict[int, str]:
        """Task names that the recording lists by pid, or has on its lines."""

    def cpu_ranges(self) -> dict[int, tuple[int, int]]:
        """The first and the last time of each CPU."""

    def gather(self, wanted: dict[str, list[str]], with_comm: set[str]) -> dict[str, Columns]:
        """The columns of several events, each sorted by time, in one pass over the file."""


class Trace:
    """One recording. Nothing is decoded before it is asked for.

    ``kind`` names the file format, ``clock`` the trace clock (empty where the file does not say),
    ``uname`` the recorded system, ``missing`` what is known to be lost or unreadable.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._counts: EventCounts | None = None
        self._symbols: Symbols | None = None
        self._task_names: dict[int, str] | None = None

    def __repr__(self) -> str:
        return f"<Trace {self.path} ({self.kind})>"

    @property
    def path(self) -> str:
        return self._backend.file

    @property
    def kind(self) -> str:
        return self._backend.kind

    @property
    def clock(self) -> str:
        return self._backend.meta.clock

    @property
    def uname(self) -> str:
        return self._backend.meta.uname

    @property
    def meta(self) -> Metadata:
        return self._backend.meta

    @property
    def has_ns_clock(self) -> bool:
        """Whether ``time_ns`` is in nanoseconds: false for counters and unscaled cycle clocks."""
        if self.clock in ("counter", "uptime"):
            return self.clock == "uptime"
        return self.clock not in ("x86-tsc", "ppc-tb") or self.meta.tsc is not None

    @property
    def missing(self) -> list[Missing]:
        """What the recording lacks: lost events, unreadable parts, counters that disagree."""
        self.events()
        return list(self.meta.missing)

    @property
    def others(self) -> dict[str, int]:
        """What was recorded beside tracepoints and probes, and is not in the table: counts by name
        (``cpu-clock``, ``cycles``, ``function``). Nothing is missing for it."""
        self.events()
        return dict(self.meta.others)

    @property
    def is_complete(self) -> bool:
        return not self.missing

    def events(self) -> EventCounts:
        """Return the number of events by name, most frequent first.

        An event that two buffers of one file recorded counts once, and is once in the columns.
        """
        if self._counts is None:
            counts = self._backend.count_events()
            ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            self._counts = EventCounts(ranked)
            self._compare_counters()
        return self._counts

    def fields(self, name: str) -> list[str]:
        """Return the field names of one event, as :meth:`columns` calls them.

        :raises TraceError: LP0607, no such event; names what is there
        """
        return self._backend.field_names(self._resolve(name))

    def columns(self, name: str, fields: Iterable[str] | None = None) -> Columns:
        """Return one event's columns, sorted by time (ties: CPU, then buffer order).

        Always there: ``time_ns`` int64, ``cpu`` int16, ``pid`` int32, ``flags`` and
        ``preempt_depth`` uint8 (see :func:`decode_flags`), ``seq`` int64 (position in its CPU's
        buffer). ``comm`` comes with ``fields=None`` or when named. Numbers keep the width and
        sign of the format; ``char[n]`` is bytes ``S<n>``; dynamic strings and arrays are objects.
        A field that has the name of a common column is called ``<name>_field`` (the woken task of
        sched_wakeup is ``pid_field``; ``pid`` is the task that ran).

        :param name: event name, bare or ``system:name``
        :param fields: the fields to decode; None for all
        :raises TraceError: LP0607 no such event or field; LP0605 a record against its format
        """
        return self.column_set({name: fields})[name]

    def column_set(self, wanted: Wanted) -> dict[str, Columns]:
        """Return :meth:`columns` of several events in one pass over the file."""
        plan: dict[str, list[str]] = {}
        with_comm: set[str] = set()
        for name, fields in wanted.items():
            real = self._resolve(name)
            known = self._backend.field_names(real)
            asked = known if fields is None else [f for f in fields if f not in COMMON]
            if fields is None or "comm" in asked:
                with_comm.add(real)
            asked = [f for f in asked if f != "comm"]
            for field in asked:
                if field not in known:
                    raise _unknown(self.path, f"event {name} has no field", field, known)
            plan[real] = asked
        got = self._backend.gather(plan, with_comm)
        for name in with_comm:
            if (got[name]["comm"] == UNNAMED).any():
                fill_unnamed(got[name]["pid"], got[name]["comm"], self.task_names())
        return {name: got[self._resolve(name)] for name in wanted}

    def task_names(self) -> dict[int, str]:
        """Return the last known name of each task by pid: as listed, else as sched_switch and the
        wakeups have it."""
        if self._task_names is None:
            plan = {
                event: [f for pair in pairs for f in pair if f in self._backend.field_names(event)]
                for event, pairs in CARRIERS.items()
                if event in self.events()
            }
            listed = self._backend.known_names()
            self._task_names = names_in(self._backend.gather(plan, set())) | listed
        return self._task_names

    def first_values(self, wanted: dict[str, str]) -> dict[str, Any]:
        """Return one value of one field for each event name; events without it are left out."""
        plan = {n: f for n, f in wanted.items() if f in self._backend.field_names(n)}
        return self._backend.first_values(plan)

    def print_format(self, name: str) -> str:
        """Return the ``print fmt`` of one event as the recording has it; empty for text."""
        return self._backend.print_format(self._resolve(name))

    def cpu_ranges(self) -> dict[int, tuple[int, int]]:
        """Return (first, last) ``time_ns`` of each CPU that has events, over all of them."""
        self.events()
        return self._backend.cpu_ranges()

    def time_range(self) -> tuple[int, int]:
        """Return (first, last) ``time_ns`` over all events; (0, 0) for an empty recording."""
        ranges = self.cpu_ranges().values()
        return (
            min((low for low, _ in ranges), default=0),
            max((high for _, high in ranges), default=0),
        )

    def symbol(self, address: int) -> str:
        """Return the kernel function at ``address``, by the recording's own symbol table."""
        if self._symbols is None:
            table = self.meta.kallsyms
            self._symbols = read_symbols(table() if callable(table) else table)
        return self._symbols.name_of(address)

    def _resolve(self, name: str) -> str:
        counts = self.events()
        if name in counts:
            return name
        bare = name.rpartition(":")[2]
        if bare in counts:
            return bare
        raise _unknown(self.path, "no such event in the recording", name, list(counts))

    def _compare_counters(self) -> None:
        # The ring buffer's own counters against what was read.
        meta = self.meta
        total = self._backend.recorded()
        stats = meta.cpu_stats.values()
        held = sum(int(s.get("entries", 0) + s.get("read events", 0)) for s in stats)
        lost = sum(int(s.get("overrun", 0) + s.get("dropped events", 0)) for s in stats)
        lost += sum(int(s.get("commit overrun", 0)) for s in stats)
        if lost:
            meta.missing.append(
                Missing("lost", f"{lost} events overwritten or dropped", self.path, count=lost)
            )
        if held and held != total:
            text = f"the ring buffer counted {held} events, {total} were read"
            meta.missing.append(
                Missing("counter", text, self.path, section="CPUSTAT", count=abs(held - total))
            )


def find_ranges(cpu: NDArray[Any], time: NDArray[np.int64]) -> dict[int, tuple[int, int]]:
    """(least, greatest) time of each CPU."""
    if not cpu.size:
        return {}
    order = np.argsort(cpu, kind="stable")
    cpus, time = cpu[order], time[order]
    first = np.flatnonzero(np.diff(cpus, prepend=np.int64(cpus[0]) - 1))
    low, high = np.minimum.reduceat(time, first), np.maximum.reduceat(time, first)
    pairs = zip(low.tolist(), high.tolist(), strict=True)
    return dict(zip(cpus[first].tolist(), pairs, strict=True))


def table_name(field: str) -> str:
    """What an event's own field is called in the table."""
    return f"{field}_field" if field in TAKEN else field


def _unknown(path: str, what: str, name: str, known: list[str]) -> TraceError:
    import difflib

    near = difflib.get_close_matches(name, known, 3)
    shown = ", ".join(sorted(known)[:40]) + (", ..." if len(known) > 40 else "")
    return TraceError(
        "LP0607",
        f"{what}: {name!r}",
        where=path,
        expected=f"one of {len(known)}" + (f"; nearest: {', '.join(near)}" if near else ""),
        available=shown,
        next="record with that event enabled, or ask for one of these",
    )


def decode_flags(flags: NDArray[np.uint8], preempt: NDArray[np.uint8]) -> Columns:
    """Return the context of each event as named columns.

    bool: ``irqs_off``, ``need_resched`` (either kind), ``hardirq``, ``softirq``, ``nmi``,
    ``bh_off``; uint8: ``preempt_depth`` (0 to 15), ``migrate_disable`` (0 to 15).
    """
    need = FLAG_NEED_RESCHED | FLAG_PREEMPT_RESCHED
    return {
        "irqs_off": (flags & FLAG_IRQS_OFF) != 0,
        "need_resched": (flags & need) != 0,
        "hardirq": (flags & FLAG_HARDIRQ) != 0,
        "softirq": (flags & FLAG_SOFTIRQ) != 0,
        "nmi": (flags & FLAG_NMI) != 0,
        "bh_off": (flags & FLAG_BH_OFF) != 0,
        "preempt_depth": preempt & 15,
        "migrate_disable": preempt >> 4,
    }

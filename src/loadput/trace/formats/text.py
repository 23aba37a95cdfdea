"""Text: ftrace's ``trace`` file, ``trace-cmd report`` (also -l, -R) and ``perf script``.

Text carries no formats. A field is what stands as ``name=value`` or as ``name number``; names are
those of the printed line (``vcpu 0`` is called ``vcpu_id``, as in the binary records), and every
event has the whole line's rest as ``text``. Times have the digits that were printed.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from loadput.base.errors import TraceError

from ..cursor import Buffer, Cursor
from ..decode import Column
from ..metadata import Metadata
from ..names import UNNAMED
from ..source import MissingLog
from ..table import Columns, find_ranges, table_name
from .prefixes import DECIDING_LINES, find_prefixes

_FTRACE = re.compile(
    r"^\s*(?P<comm>.+?)-(?P<pid>\d+)\s+(?:\(\s*(?P<tgid>[-\d]+)\)\s+)?"
    r"(?:\[(?P<cpu>\d+)\]\s+(?:(?P<flags>[^\s\d]\S{3,5})\s+)?|(?P<cpul>\d+)(?P<flagsl>[^\s\d]\S{3,4})\s+)"
    r"(?P<time>\d+(?:\.\d+)?(?:us)?)[ +!#*@$]?:\s+(?:\(\+\d+\)\s+)?"
    r"(?P<name>[\w.-]+):\s*(?P<rest>.*)$"
)
# What an event's line has and a header, a stack or an annotation has not.
_TIMED = re.compile(r"\[\d+\].*\s\d+\.\d{3,9}:|\s\d+us[ +!#*@$]?:")
_PERF = re.compile(
    r"^\s*(?P<comm>.+?)\s+(?:(?P<tgid>\d+)/)?(?P<pid>-?\d+)\s+\[(?P<cpu>\d+)\]\s+(?P<time>\d+\.\d+):\s+"
    r"(?:\d+\s+)?(?P<name>[\w-]+:[\w-]+)(?::[a-zA-Z]+)?:(?:\s+(?P<rest>.*))?$"
)
# A sample of an event that is no tracepoint: `cpu-clock:`, `cycles:P:`, `cpu/cycles/u:`.
_PERF_OTHER = re.compile(
    r"^\s*\S.*?\s(?:\d+/)?-?\d+\s+\[\d+\]\s+\d+\.\d+:\s+(?:\d+\s+)?"
    r"(?P<name>[^\s:]+(?: [^\s:]+)?)(?::[a-zA-Z]+)?:(?:\s|$)"
)
# What perf puts behind an event's name, and names of its own that have no "-" or "/".
_MODIFIERS = re.compile(r"[ukhGHIpPSDWeb]{1,8}")
_PERF_OWN = frozenset({
    "cycles", "instructions", "branches", "faults", "migrations", "cs", "dummy", "slots",
})  # fmt: skip
# Lines of the function tracer and stacks beside the events of an ftrace text.
_FTRACE_OTHER = re.compile(
    r"(?:\[\d+\]|\s\d+[^\s\d]\S{3,4})\s.*?\d+(?:\.\d+|us)[ +!#*@$]?:\s+"
    r"(?:(?P<name>[\w.]+) <-+ ?[\w.]+|<(?:user )?stack trace>)\s*$"
)
_LOST = re.compile(r"CPU:?\s?(?P<cpu>\d+) \[(?:LOST )?(?P<count>\d+)? ?(?:EVENTS|EVENTS DROPPED)")
_ENTRIES = re.compile(r"entries-in-buffer/entries-written:\s*(\d+)/(\d+)")
_PAIR = re.compile(r"(\w+)=(.*?)(?=,?\s+(?:==>\s+)?\w+=|$)")
_WORDS = re.compile(r"\b([A-Za-z_]\w*)[ :]+(-?0x[0-9a-fA-F]+|-?\d+)\b")
# Bytes of an instruction, and numbers in hex without 0x, are no field names.
_HEX = re.compile(r"[0-9a-f]{1,4}|(?=[a-f]*\d)[0-9a-f]+|[0-9a-f]{8}|[0-9a-f]{16}")
# `info e90008 0` of VMX and SVM up to v5.9: two numbers in hex, info1 and info2 of the records.
_INFO = re.compile(r"\binfo ([0-9a-f]{1,16}) ([0-9a-f]{1,16})(?= |$)")
# trace-cmd's own words for the scheduler's events: `comm:pid [prio] state ==> comm:pid [prio]`.
_SWITCH = re.compile(r"^(.*):(-?\d+) \[(-?\d+)\] (\S+) ==> (.*):(-?\d+) \[(-?\d+)\](?: |$)")
_SWITCH_FIELDS = (
    "prev_comm", "prev_pid", "prev_prio", "prev_state", "next_comm", "next_pid", "next_prio",
)  # fmt: skip
_WAKEUP = re.compile(r"^(.*):(-?\d+) \[(-?\d+)\](?: success=\d)? CPU:(\d+)(?: |$)")
_WAKEUP_FIELDS = ("comm", "pid", "prio", "target_cpu")
# A text file with this many lines in a row that are no event is something else.
MAX_STRANGE_LINES = 1000


@dataclass(slots=True)
class Rows:
    """The lines of one event, undecoded."""

    time: list[int] = field(default_factory=list)
    cpu: list[int] = field(default_factory=list)
    pid: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    seq: list[int] = field(default_factory=list)
    comm: list[bytes] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)


class TextBackend:
    """The table of a text recording; lines are split when opened, fields when asked for."""

    def __init__(self, file: str, kind: str, meta: Metadata) -> None:
        self.file, self.kind, self.meta = file, kind, meta
        self.rows: dict[str, Rows] = {}
        self._parsed: dict[str, dict[str, Column]] = {}

    def count_events(self) -> dict[str, int]:
        return {name: len(rows.time) for name, rows in self.rows.items()}

    def recorded(self) -> int:
        return sum(self.count_events().values())

    def field_names(self, name: str) -> list[str]:
        return list(self._fields(name)) if name in self.rows else []

    def first_values(self, wanted: dict[str, str]) -> dict[str, Any]:
        return {name: self._fields(name)[field][0] for name, field in wanted.items()}

    def print_format(self, name: str) -> str:
        return ""

    def known_names(self) -> dict[int, str]:
        last: dict[int, tuple[int, bytes]] = {}
        for rows in self.rows.values():
            for time, pid, comm in zip(rows.time, rows.pid, rows.comm, strict=True):
                if comm != UNNAMED and time >= last.get(pid, (time, b""))[0]:
                    last[pid] = time, comm
        return {pid: comm.decode("utf-8", "replace") for pid, (_, comm) in last.items() if pid}

    def cpu_ranges(self) -> dict[int, tuple[int, int]]:
        cpu = np.array([c for rows in self.rows.values() for c in rows.cpu], dtype=np.int16)
        time = np.array([t for rows in self.rows.values() for t in rows.time], dtype=np.int64)
        return find_ranges(cpu, time)

    def gather(self, wanted: dict[str, list[str]], with_comm: set[str]) -> dict[str, Columns]:
        out: dict[str, Columns] = {}
        for name, fields in wanted.items():
            rows = self.rows[name]
            cols: Columns = {
                "time_ns": np.array(rows.time, dtype=np.int64),
                "cpu": np.array(rows.cpu, dtype=np.int16),
                "pid": np.array(rows.pid, dtype=np.int32),
                "flags": np.array(rows.flags, dtype=np.uint8),
                "preempt_depth": np.array(rows.depth, dtype=np.uint8),
                "seq": np.array(rows.seq, dtype=np.int64),
            }
            parsed = self._fields(name)
            for key in fields:
                cols[key] = parsed[key]
            if name in with_comm:
                cols["comm"] = np.array(rows.comm, dtype="S16")
            order = np.argsort(cols["time_ns"], kind="stable")
            out[name] = {key: col[order] for key, col in cols.items()}
        return out

    def drop_copies(self) -> None:
        """Keep an event that two instances printed once."""
        for rows in self.rows.values():
            seen: set[tuple[object, ...]] = set()
            keep = []
            for i, key in enumerate(zip(rows.cpu, rows.time, rows.pid, rows.rest, strict=True)):
                if key not in seen:
                    keep.append(i)
                seen.add(key)
            for column in dataclasses.fields(rows):
                values = getattr(rows, column.name)
                setattr(rows, column.name, [values[i] for i in keep])

    def _fields(self, name: str) -> dict[str, Column]:
        if name not in self._parsed:
            rest = self.rows[name].rest
            split = [_split_fields(name, line) for line in rest]
            keys = dict.fromkeys(key for row in split for key in row)
            columns = {
                table_name(key): _column([row.get(key, "") for row in split]) for key in keys
            }
            columns["text"] = np.array(rest, dtype=object)
            self._parsed[name] = columns
        return self._parsed[name]


def open_text(data: Buffer, file: str, system: str = "") -> TextBackend:
    """Read a text recording.

    :param system: which recording, where `trace-cmd report -i A -i B` printed several
    :raises TraceError: LP0602, no line looks like an event, or times run back on a CPU; LP0608,
        several systems and none chosen
    """
    meta = Metadata()
    log = MissingLog(meta, file)
    backend = TextBackend(file, "text", meta)
    prefixes = find_prefixes(itertools.islice(_iter_lines(data), DECIDING_LINES), _FTRACE)
    clock = _Clock(file)
    strange, offset = 0, 0
    unread, first = 0, -1
    for raw in _iter_lines(data):
        name, line = prefixes.split(raw)
        match = _match(line, backend)
        if match is not None:
            prefixes.counts[name] = prefixes.counts.get(name, 0) + 1
        if system and name and name != system and not prefixes.is_instances:
            pass
        elif match is not None:
            if not _is_other(match, meta):
                _add_row(backend, match, clock.step(match, offset, name))
        elif not _read_other(line, backend):
            is_note = _read_note(line, offset, meta, log)
            strange += 1
            if not is_note and not line.startswith("#") and _TIMED.search(line):
                unread, first = unread + 1, offset if first < 0 else first
            if not backend.rows and strange > MAX_STRANGE_LINES:
                break
        offset += len(raw) + 1
    prefixes.choose(system, file)
    clock.check()
    if prefixes.is_instances:
        backend.drop_copies()
    if not backend.rows and not meta.others:
        head = bytes(data[:40])
        cur = Cursor(data, file, section="text")
        cur.fail(
            "neither a trace nor its text" if not unread else "no line of this text is an event",
            got=repr(head),
            expected="trace.dat, perf.data, ftrace's trace, or `trace-cmd report` or "
            "`perf script` text",
        )
    if unread:
        log.add(
            "corrupt",
            f"{unread} lines with a time that could not be read",
            offset=first,
            section="text",
            expected="task-pid [cpu] flags time: event: fields",
            count=unread,
        )
    return backend


def _iter_lines(data: Buffer) -> Iterator[str]:
    size, pos = len(data), 0
    while pos < size:
        block = bytes(data[pos : pos + (1 << 22)])
        cut = block.rfind(b"\n") + 1 or len(block)
        yield from block[:cut].decode("utf-8", "replace").splitlines()
        pos += cut


def _match(line: str, backend: TextBackend) -> re.Match[str] | None:
    if backend.kind != "perf script":
        match = _FTRACE.match(line)
        if match is not None:
            backend.kind = "ftrace text"
            return match
        if backend.rows:
            return None
    match = _PERF.match(line)
    if match is not None:
        backend.kind = "perf script"
    return match


def _is_other(match: re.Match[str], meta: Metadata) -> bool:
    # `cycles:P` looks like the tracepoint P of the system cycles, but perf names it so.
    name, _, behind = match["name"].partition(":")
    if not behind or not _MODIFIERS.fullmatch(behind) or not ("-" in name or name in _PERF_OWN):
        return False
    meta.others[name] = meta.others.get(name, 0) + 1
    return True


def _read_other(line: str, backend: TextBackend) -> bool:
    """Count a line that is an event of another kind: then nothing is missing for it."""
    if backend.kind != "perf script":
        match = _FTRACE_OTHER.search(line)
        name = "" if match is None else "function" if match["name"] else "stack"
    else:
        name = ""
    if not name and backend.kind != "ftrace text":
        match = _PERF_OTHER.match(line)
        name = match["name"] if match is not None else ""
    if not name:
        return False
    backend.meta.others[name] = backend.meta.others.get(name, 0) + 1
    return True


@dataclass(slots=True)
class _Clock:
    """The last time and the number of the next event of each CPU."""

    file: str
    last: dict[tuple[int, str], int] = field(default_factory=dict)
    seq: dict[int, int] = field(default_factory=dict)
    back: TraceError | None = None

    def step(self, match: re.Match[str], offset: int, name: str) -> tuple[int, int, int]:
        """(CPU, time, number in its CPU) of a line."""
        part = match.groupdict()
        cpu, time = int(part["cpu"] or part["cpul"]), _parse_time(part["time"])
        before = self.last.get((cpu, name), time)
        if time < before and self.back is None:
            self.back = TraceError(
                "LP0602", f"times run back on CPU {cpu}",
                where=f"{self.file} @ byte {offset} (text)",
                got=f"{time / 1e9:.9f} s behind {before / 1e9:.9f} s",
                expected="the time of each event by one clock, in order on each CPU",
                next="print times, not differences (perf script without --deltatime), and one "
                "recording to a text",
            )  # fmt: skip
        self.last[cpu, name] = time
        number = self.seq.get(cpu, 0)
        self.seq[cpu] = number + 1
        return cpu, time, number

    def check(self) -> None:
        """Raise what :meth:`step` found; after it is known that the text is one recording."""
        if self.back is not None:
            raise self.back


def _add_row(backend: TextBackend, match: re.Match[str], place: tuple[int, int, int]) -> None:
    part = match.groupdict()
    cpu, time, number = place
    name = part["name"].rpartition(":")[2]
    rows = backend.rows.setdefault(name, Rows())
    rows.time.append(time)
    rows.cpu.append(cpu & 0x7FFF)
    pid, process = int(part["pid"]) & 0x7FFFFFFF, part["tgid"]
    rows.pid.append(pid)
    if process is not None and process.isdigit():
        backend.meta.processes[pid] = int(process)
    flags, depth = _parse_flags(part.get("flags") or part.get("flagsl") or "")
    rows.flags.append(flags)
    rows.depth.append(depth)
    rows.seq.append(number)
    rows.comm.append(part["comm"].encode()[:16])
    rows.rest.append((part["rest"] or "").rstrip())


def _parse_time(text: str) -> int:
    if text.endswith("us"):  # the latency format counts from the start of its tracer
        return min(int(text[:-2]) * 1000, 2**63 - 1)
    whole, _, part = text.partition(".")
    return (
        min(int(whole) * 10**9 + int(part[:9].ljust(9, "0") or 0), 2**63 - 1)
        if part
        else int(whole[:18])
    )


def _parse_flags(text: str) -> tuple[int, int]:
    """``d..2.`` -> (flags, preempt_count), the inverse of trace_print_lat_fmt()."""
    if len(text) < 4:
        return 0, 0
    flags = {"d": 0x01, "b": 0x80, "D": 0x81}.get(text[0], 0)
    flags |= {"N": 0x24, "n": 0x04, "p": 0x20, "B": 0x26, "b": 0x22, "L": 0x02, "l": 0x02}.get(
        text[1], 0
    )
    flags |= {"Z": 0x48, "z": 0x40, "H": 0x18, "h": 0x08, "s": 0x10}.get(text[2], 0)
    depth = int(text[3], 16) if text[3] in "0123456789abcdef" else 0
    if len(text) > 4 and text[4] in "0123456789abcdef":
        depth |= int(text[4], 16) << 4
    return flags, depth


def _read_note(line: str, offset: int, meta: Metadata, log: MissingLog) -> bool:
    lost = _LOST.search(line)
    if lost is not None:
        count = int(lost["count"] or -1)
        cpu = int(lost["cpu"])
        log.add("lost", f"CPU {cpu}: {count} events lost", offset=offset, cpu=cpu, count=count)
        return True
    entries = _ENTRIES.search(line)
    if entries is not None and int(entries[1]) < int(entries[2]):
        count = int(entries[2]) - int(entries[1])
        log.add("lost", f"{count} events overwritten before the read", offset=offset, count=count)
    return entries is not None


def _split_fields(event: str, rest: str) -> dict[str, str]:
    if "=" not in rest or event in ("sched_switch", "sched_wakeup", "sched_wakeup_new"):
        switch = _SWITCH.match(rest)
        if switch is not None:
            return dict(zip(_SWITCH_FIELDS, switch.groups(), strict=True))
        wakeup = _WAKEUP.match(rest)
        if wakeup is not None:
            return dict(zip(_WAKEUP_FIELDS, wakeup.groups(), strict=True))
    out = dict(_PAIR.findall(rest))
    if not out:
        info = _INFO.search(rest)
        if info is not None:
            rest = rest[: info.start()] + rest[info.end() :]
        out = {name: value for name, value in _WORDS.findall(rest) if not _HEX.fullmatch(name)}
        if info is not None:
            out |= {"info1": f"0x{info[1]}", "info2": f"0x{info[2]}"}
    vcpu = out.get("vcpu", "")
    if vcpu.isdigit():
        out["vcpu_id"] = out.pop("vcpu")
    return {key: value.rstrip(",") for key, value in out.items()}


def _column(values: list[str]) -> Column:
    """Numbers where all are numbers (int64, or uint64 where they need it), else text."""
    numbers = []
    for value in values:
        try:
            numbers.append(
                int(value, 16) if value[:3].lower().lstrip("-")[:2] == "0x" else int(value)
            )
        except ValueError:
            return np.array([v.encode() for v in values])
    try:
        return np.array(numbers, dtype=np.int64)
    except OverflowError:
        try:
            return np.array(numbers, dtype=np.uint64)
        except OverflowError:
            return np.array([v.encode() for v in values])

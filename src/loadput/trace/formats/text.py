"""Text: ftrace's ``trace`` file, ``trace-cmd report`` (also -l, -R) and ``perf script``.

Text carries no formats. A field is what stands as ``name=value`` or as ``name number``; names are
those of the printed line (``vcpu 0`` is called ``vcpu_id``, as in the binary records), and every
event has the whole line's rest as ``text``. Times have the digits that were printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..cursor import Buffer, Cursor
from ..decode import Column
from ..metadata import Metadata
from ..source import MissingLog
from ..table import Columns, find_ranges, table_name

_FTRACE = re.compile(
    r"^\s*(?P<comm>.+?)-(?P<pid>\d+)\s+(?:\(\s*[-\d]+\)\s+)?"
    r"(?:\[(?P<cpu>\d+)\]\s+(?:(?P<flags>[^\s\d]\S{3,5})\s+)?|(?P<cpul>\d+)(?P<flagsl>[^\s\d]\S{3,4})\s+)"
    r"(?P<time>\d+(?:\.\d+)?(?:us)?)[ +!#*@$]?:\s+(?:\(\+\d+\)\s+)?"
    r"(?P<name>[\w.-]+):\s*(?P<rest>.*)$"
)
# What an event's line has and a header, a stack or an annotation has not.
_TIMED = re.compile(r"\[\d+\].*\s\d+\.\d{3,9}:|\s\d+us[ +!#*@$]?:")
_PERF = re.compile(
    r"^\s*(?P<comm>.+?)\s+(?:\d+/)?(?P<pid>-?\d+)\s+\[(?P<cpu>\d+)\]\s+(?P<time>\d+\.\d+):\s+"
    r"(?:\d+\s+)?(?P<name>[\w-]+:[\w-]+):\s*(?P<rest>.*)$"
)
_LOST = re.compile(r"CPU:?\s?(?P<cpu>\d+) \[(?:LOST )?(?P<count>\d+)? ?(?:EVENTS|EVENTS DROPPED)")
_ENTRIES = re.compile(r"entries-in-buffer/entries-written:\s*(\d+)/(\d+)")
_PAIR = re.compile(r"(\w+)=(.*?)(?=,?\s+(?:==>\s+)?\w+=|$)")
_WORDS = re.compile(r"\b([A-Za-z_]\w*)[ :]+(-?0x[0-9a-fA-F]+|-?\d+)\b")
_HEX = re.compile(r"[0-9a-f]{1,4}")  # bytes of an instruction are no field names
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


def open_text(data: Buffer, file: str) -> TextBackend:
    """Read a text recording.

    :raises TraceError: LP0602, no line looks like an event
    """
    meta = Metadata()
    log = MissingLog(meta, file)
    backend = TextBackend(file, "text", meta)
    seq: dict[int, int] = {}
    strange, offset = 0, 0
    unread, first = 0, -1
    for raw in _iter_lines(data):
        match = _match(raw, backend)
        if match is None:
            is_note = _read_note(raw, offset, meta, log)
            strange += 1
            if not is_note and not raw.startswith("#") and _TIMED.search(raw):
                unread, first = unread + 1, offset if first < 0 else first
            if not backend.rows and strange > MAX_STRANGE_LINES:
                break
        else:
            _add_row(backend, match, seq)
        offset += len(raw) + 1
    if not backend.rows:
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


def _add_row(backend: TextBackend, match: re.Match[str], seq: dict[int, int]) -> None:
    part = match.groupdict()
    cpu = int(part["cpu"] or part["cpul"])
    name = part["name"].rpartition(":")[2]
    rows = backend.rows.setdefault(name, Rows())
    rows.time.append(_parse_time(part["time"]))
    rows.cpu.append(cpu & 0x7FFF)
    rows.pid.append(int(part["pid"]) & 0x7FFFFFFF)
    flags, depth = _parse_flags(part.get("flags") or part.get("flagsl") or "")
    rows.flags.append(flags)
    rows.depth.append(depth)
    rows.seq.append(seq.get(cpu, 0))
    seq[cpu] = seq.get(cpu, 0) + 1
    rows.comm.append(part["comm"].encode()[:16])
    rows.rest.append(part["rest"].rstrip())


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
        out = {name: value for name, value in _WORDS.findall(rest) if not _HEX.fullmatch(name)}
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

"""A file for ui.perfetto.dev: scheduling of every CPU, vCPU tracks, flags as counters.

Field numbers are those of protos/perfetto/trace of the Perfetto sources. The scheduler's events go
in as ftrace events, so that the UI's own CPU and thread tracks and its queries work.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..base.output import open_output
from .account.log import SCHED_IN, Log
from .lanes import HOST_THERE, HOST_WRONG, STATES, Lanes, build_lanes
from .table import Trace

SEQUENCE = 1
TRUSTED = 1  # trusted_packet_sequence_id of all packets
SLICE_BEGIN, SLICE_END, INSTANT, COUNTER = 1, 2, 3, 4
VM_BASE, VCPU_BASE, FLAG_BASE = 1 << 40, 2 << 40, 3 << 40
FLAG_NAMES = ("preempted", "ready", "so")


def varint(value: int) -> bytes:
    """Protobuf base-128 encoding; negative numbers as 64-bit two's complement."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """A varint field."""
    return varint(field << 3) + varint(value)


def nested(field: int, body: bytes) -> bytes:
    """A length-delimited field."""
    return varint(field << 3 | 2) + varint(len(body)) + body


def text(field: int, value: str | bytes) -> bytes:
    """A string field."""
    return nested(field, value.encode() if isinstance(value, str) else value)


def write_perfetto(trace: Trace, path: str | Path) -> None:
    """Write ``trace`` for the Perfetto UI.

    One track per vCPU under one group per VM, with slices for loaded, in guest and out; loads
    whose state was still there as instants; preempted, ready, scheduled_out at each sched_in as
    counters; sched_switch and sched_waking as ftrace events.

    :raises TraceError: LP0610, the recording shows no loads and puts
    """
    lanes = build_lanes(trace)
    with open_output(path) as file:
        _write_system(file, trace)
        _write_sched(file, trace, lanes.log)
        _write_tracks(file, lanes.log)
        _write_slices(file, lanes)
        _write_marks(file, lanes)
        _write_flags(file, lanes.log)


def _packet(file: BinaryIO, body: bytes) -> None:
    file.write(nested(1, body + number(10, TRUSTED)))


def _write_system(file: BinaryIO, trace: Trace) -> None:
    words = trace.uname.split()
    if len(words) >= 3:
        release, machine = (words[2], words[-1]) if words[1] == "(none)" else (words[1], words[-1])
        uname = text(1, words[0]) + text(3, release) + text(4, machine)
        _packet(file, nested(45, nested(1, uname)))


def _write_sched(file: BinaryIO, trace: Trace, log: Log) -> None:
    switch, waking = log.roles.parts.get("switch"), log.roles.parts.get("waking")
    events: list[tuple[int, int, int, bytes]] = []
    if switch:
        cols = trace.columns(switch)
        if cols["prev_state"].dtype.kind in "iu":
            keys = ("prev_comm", "prev_pid", "prev_prio", "prev_state", "next_comm", "next_pid",
                    "next_prio")  # fmt: skip
            rows = zip(*(cols[k].tolist() for k in ("time_ns", "cpu", "pid", *keys)), strict=True)
            for time, cpu, pid, *values in rows:
                body = b"".join(
                    text(i + 1, v) if isinstance(v, bytes) else number(i + 1, v)
                    for i, v in enumerate(values)
                )
                events.append((cpu, time, pid, nested(4, body)))
    if waking:
        cols = trace.columns(waking)
        woken_keys = ("comm_field", "pid_field", "prio", "target_cpu")
        every = ("time_ns", "cpu", "pid", *woken_keys)
        rows = zip(*(cols[k].tolist() for k in every), strict=True)
        for time, cpu, pid, comm, woken, prio, target in rows:
            body = text(1, comm) + number(2, woken) + number(3, prio) + number(5, target)
            events.append((cpu, time, pid, nested(20, body)))
    events.sort(key=lambda e: e[:2])
    _write_bundles(file, events)


def _write_bundles(file: BinaryIO, events: list[tuple[int, int, int, bytes]]) -> None:
    # One bundle per CPU and a thousand events: the importer sorts within a window only.
    start = 0
    while start < len(events):
        stop = start
        cpu = events[start][0]
        while stop < len(events) and stop - start < 1000 and events[stop][0] == cpu:
            stop += 1
        body = number(1, cpu)
        for _, time, pid, event in events[start:stop]:
            body += nested(2, number(1, time) + number(2, max(pid, 0)) + event)
        _packet(file, nested(1, body))
        start = stop


def _write_tracks(file: BinaryIO, log: Log) -> None:
    vms = sorted({v.vm for v in log.vcpus})
    for index, vm in enumerate(vms):
        _packet(file, nested(60, number(1, VM_BASE + index) + text(2, vm or "vCPUs")))
    for vcpu in log.vcpus:
        uuid = VCPU_BASE + vcpu.index
        name = f"{vcpu.name} {vcpu.comm}".strip()
        body = number(1, uuid) + text(2, name) + number(5, VM_BASE + vms.index(vcpu.vm))
        _packet(file, nested(60, body))
        for place, flag in enumerate(FLAG_NAMES):
            if (log.flags[flag] >= 0).any():
                label = "scheduled_out" if flag == "so" else flag
                body = number(1, FLAG_BASE + vcpu.index * 8 + place) + text(2, label)
                _packet(file, nested(60, body + number(5, uuid) + nested(8, b"")))


def _event(file: BinaryIO, time: int, kind: int, track: int, rest: bytes = b"") -> None:
    _packet(file, number(8, time) + nested(11, number(9, kind) + number(11, track) + rest))


def _write_slices(file: BinaryIO, lanes: Lanes) -> None:
    # Slices on a track must nest: the guest lies in a load; where clocks of two events touch,
    # ends come first.
    spans = lanes.spans
    rows = zip(
        spans.vcpu.tolist(), spans.start.tolist(), spans.end.tolist(), spans.state.tolist(),
        spans.cpu.tolist(), strict=True,
    )  # fmt: skip
    open_ends: list[int] = []
    last = -1
    for vcpu, start, end, state, cpu in rows:
        track = VCPU_BASE + vcpu
        if vcpu != last:
            _close(file, open_ends, VCPU_BASE + last, 1 << 62)
            last = vcpu
        _close(file, open_ends, track, start)
        end = min(end, open_ends[-1]) if open_ends else end
        if end <= start:
            continue
        name = STATES[state] + (f" on cpu{cpu}" if cpu >= 0 else "")
        _event(file, start, SLICE_BEGIN, track, text(22, "vcpu") + text(23, name))
        open_ends.append(end)
    _close(file, open_ends, VCPU_BASE + last, 1 << 62)


def _close(file: BinaryIO, open_ends: list[int], track: int, until: int) -> None:
    while open_ends and open_ends[-1] <= until:
        _event(file, open_ends.pop(), SLICE_END, track)


def _write_marks(file: BinaryIO, lanes: Lanes) -> None:
    marks = lanes.marks
    rows = np.flatnonzero(marks.bits & (HOST_THERE | HOST_WRONG))
    for row in rows.tolist():
        wrong = bool(marks.bits[row] & HOST_WRONG)
        name = "own area, but stale" if wrong else "host state still there"
        rest = text(22, "skip") + text(23, name)
        _event(file, int(marks.time[row]), INSTANT, VCPU_BASE + int(marks.vcpu[row]), rest)


def _write_flags(file: BinaryIO, log: Log) -> None:
    rows = log.rows(SCHED_IN)
    for place, flag in enumerate(FLAG_NAMES):
        values = log.flags[flag]
        for row in rows[values[rows] >= 0].tolist():
            track = FLAG_BASE + int(log.vcpu[row]) * 8 + place
            _event(file, int(log.time[row]), COUNTER, track, number(30, int(values[row])))

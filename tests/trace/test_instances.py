"""A trace.dat with several buffers: every event is there, and one in two buffers is there once."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from loadput.trace import read_trace
from loadput.trace.pages import BUFFER_SHIFT
from loadput.trace.raw import find_once


def with_second_buffer(
    data: bytes, cpu: int, called: int | None = None, clock: bytes = b""
) -> bytes:
    """A version 7 file with one more buffer, ``second``, that holds the pages of ``cpu`` again
    (as those of CPU ``called``)."""
    slot = data.index(b"zlib\0x\0") + 7
    start = int.from_bytes(data[slot : slot + 8], "little")
    number, flags, _, size = struct.unpack_from("<HHIQ", data, start)
    at, options = start + 16, []
    while at < start + 16 + size:
        kind, length = struct.unpack_from("<HI", data, at)
        options.append((kind, data[at + 6 : at + 6 + length]))
        at += 6 + length
    body = next(b for kind, b in options if kind == 3)
    end = body.index(b"\0", 9) + 1
    page, count = struct.unpack_from("<II", body, end)
    rows = [body[end + 8 + 20 * i : end + 28 + 20 * i] for i in range(count)]
    number_of = struct.pack("<I", cpu if called is None else called)
    chosen = [number_of + row[4:] for row in rows if row[:4] == struct.pack("<I", cpu)]
    own = clock + b"\0" if clock else body[9:end]
    again = body[:8] + b"second\0" + own + struct.pack("<II", page, len(chosen))
    options.insert(-1, (3, again + b"".join(chosen)))
    packed = b"".join(struct.pack("<HI", kind, len(b)) + b for kind, b in options)
    head = struct.pack("<HHIQ", number, flags, 0, len(packed))
    return data[:slot] + struct.pack("<Q", len(data)) + data[slot + 8 :] + head + packed


def test_an_event_of_two_buffers_counts_once(fixtures: Path, write: Callable[[bytes], str]) -> None:
    path = fixtures / "x86-6.1-zlib.dat"
    plain = read_trace(path)
    both = read_trace(write(with_second_buffer(path.read_bytes(), cpu=1)))
    assert both.missing == [] and both.events() == plain.events()
    assert both._backend.recorded() > plain._backend.recorded() + 5000
    for name in plain.events():
        one, again = plain.columns(name), both.columns(name)
        assert {k: c.tolist() for k, c in one.items()} == {k: c.tolist() for k, c in again.items()}


def test_events_of_one_buffer_only_are_kept(fixtures: Path, write: Callable[[bytes], str]) -> None:
    """The second buffer's pages stand for another CPU: nothing in it is a copy."""
    path = fixtures / "x86-6.1-zlib.dat"
    plain = read_trace(path)
    both = read_trace(write(with_second_buffer(path.read_bytes(), cpu=1, called=7)))
    for name in ("sched_switch", "kvm_entry", "arch_put"):
        one, cols = plain.columns(name, []), both.columns(name, [])
        again = one["time_ns"][one["cpu"] == 1]
        assert again.size > 50 and both.events()[name] == plain.events()[name] + again.size
        assert cols["time_ns"][cols["cpu"] == 7].tolist() == again.tolist()
        assert cols["seq"].max() < 1 << 20


def rows(*events: tuple[int, int, int, int]) -> dict[str, np.ndarray]:
    """Columns of events (time, CPU, bytes, buffer)."""
    time, cpu, same, buffer = (np.array(column) for column in zip(*events, strict=True))
    return {"time_ns": time, "cpu": cpu, "#": same, "seq": buffer << BUFFER_SHIFT}


@pytest.mark.parametrize(
    ("events", "kept"),
    [
        ([(100, 0, 5, 0), (400, 0, 5, 1)], [1, 0]),  # each buffer stamps for itself
        ([(100, 0, 5, 0), (400, 0, 5, 1), (900, 0, 5, 2)], [1, 0, 0]),
        ([(100, 0, 5, 0), (400, 0, 5, 1), (500, 0, 5, 0), (600, 0, 5, 1)], [1, 0, 1, 0]),
        ([(100, 0, 5, 0), (400, 0, 5, 0)], [1, 1]),  # one buffer: it happened twice
        ([(100, 0, 5, 0), (400, 1, 5, 1)], [1, 1]),
        ([(100, 0, 5, 0), (400, 0, 6, 1)], [1, 1]),
        ([(100, 0, 5, 0), (9_000_000, 0, 5, 1)], [1, 1]),
        ([(100, 0, 5, 1), (400, 0, 5, 0), (500, 0, 7, 0)], [1, 0, 1]),
    ],
)
def test_find_once(events: list[tuple[int, int, int, int]], kept: list[int]) -> None:
    assert find_once(rows(*events)).astype(int).tolist() == kept


def test_buffers_with_different_clocks_are_named(
    fixtures: Path, write: Callable[[bytes], str]
) -> None:
    path = fixtures / "x86-6.1-zlib.dat"
    trace = read_trace(write(with_second_buffer(path.read_bytes(), cpu=1, clock=b"boot")))
    assert [m.kind for m in trace.missing] == ["clock"]
    assert "'second'" in trace.missing[0].text and "boot" in trace.missing[0].text

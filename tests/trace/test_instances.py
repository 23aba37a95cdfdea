"""A trace.dat with several buffers: the events of each are there, and none is lost."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from loadput.trace import read_trace


def with_second_buffer(data: bytes, cpu: int) -> bytes:
    """A version 7 file with one more buffer, ``second``, that holds the pages of ``cpu`` again."""
    slot = data.index(b"zlib\0x\0") + 7
    start = int.from_bytes(data[slot : slot + 8], "little")
    number, flags, _, size = struct.unpack_from("<HHIQ", data, start)
    at, options = start + 16, []
    while at < start + 16 + size:
        kind, length = struct.unpack_from("<HI", data, at)
        options.append((kind, data[at + 6 : at + 6 + length]))
        at += 6 + length
    body = next(b for kind, b in options if kind == 3)
    clock = body.index(b"\0", 9) + 1
    page, count = struct.unpack_from("<II", body, clock)
    rows = [body[clock + 8 + 20 * i : clock + 28 + 20 * i] for i in range(count)]
    chosen = [row for row in rows if row[:4] == struct.pack("<I", cpu)]
    again = body[:8] + b"second\0" + body[9:clock] + struct.pack("<II", page, len(chosen))
    options.insert(-1, (3, again + b"".join(chosen)))
    packed = b"".join(struct.pack("<HI", kind, len(b)) + b for kind, b in options)
    head = struct.pack("<HHIQ", number, flags, 0, len(packed))
    return data[:slot] + struct.pack("<Q", len(data)) + data[slot + 8 :] + head + packed


def test_events_of_every_buffer_are_read(fixtures: Path, write: Callable[[bytes], str]) -> None:
    path = fixtures / "x86-6.1-zlib.dat"
    plain = read_trace(path)
    both = read_trace(write(with_second_buffer(path.read_bytes(), cpu=1)))
    assert both.missing == []
    for name in ("sched_switch", "kvm_entry", "arch_put"):
        one = plain.columns(name, [])
        again = one["time_ns"][one["cpu"] == 1]
        assert again.size > 50
        assert both.events()[name] == plain.events()[name] + again.size
        whole = np.sort(np.concatenate([one["time_ns"], again]))
        assert both.columns(name, [])["time_ns"].tolist() == whole.tolist()

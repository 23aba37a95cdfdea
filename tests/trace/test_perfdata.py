"""perf.data: file mode, pipe mode, compressed records, names over time."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zstandard

from loadput.base.errors import TraceError
from loadput.trace import Trace, read_trace
from loadput.trace.cursor import read_bytes
from loadput.trace.formats.perfdata import PerfData, open_perfdata
from loadput.trace.formats.perfrecords import TaskNames

NAME = "x86-6.12-perf.data"
SAMPLES = 2771


def source_of(fixtures: Path) -> PerfData:
    return open_perfdata(read_bytes(fixtures / NAME), NAME)


def equal(a: Trace, b: Trace) -> None:
    assert a.events() == b.events()
    for name in a.events():
        left, right = a.columns(name), b.columns(name)
        for key in left:
            assert left[key].tolist() == right[key].tolist(), (name, key)


def pipe_of(fixtures: Path) -> bytes:
    """The fixture as ``perf record -o -`` writes it."""
    source = source_of(fixtures)
    data = bytes(source.data)
    size, attrs_at, attrs_len = struct.unpack_from("<QQQ", data, 16)
    out = b"PERFILE2" + struct.pack("<Q", 16)
    for at in range(attrs_at, attrs_at + attrs_len, size):
        ids_at, ids_len = struct.unpack_from("<QQ", data, at + size - 16)
        body = data[at : at + size - 16] + data[ids_at : ids_at + ids_len]
        out += struct.pack("<IHH", 64, 0, 8 + len(body)) + body
    table = source.end
    tracing_at, tracing_len = struct.unpack_from("<QQ", data, table)
    tracing = data[tracing_at : tracing_at + tracing_len]
    out += struct.pack("<IHHI", 66, 0, 12, len(tracing)) + tracing + bytes(-len(tracing) % 8)
    return out + data[source.start : source.end]


def test_events_count(fixtures: Path) -> None:
    trace = read_trace(fixtures / NAME)
    assert sum(trace.events().values()) == SAMPLES
    assert trace.is_complete and trace.clock == "mono"


def test_columns_of_switch_name_the_running_task(fixtures: Path) -> None:
    cols = read_trace(fixtures / NAME).columns("sched_switch")
    vcpus = np.char.startswith(cols["prev_comm"], b"vm")
    # The record of one task's new name lies behind the cut.
    assert (cols["comm"] == cols["prev_comm"])[vcpus].mean() > 0.97
    assert (cols["pid"] == cols["prev_pid"]).all()


def test_pipe_mode_equals_file_mode(fixtures: Path, write: Callable[[bytes], str]) -> None:
    equal(read_trace(fixtures / NAME), read_trace(write(pipe_of(fixtures))))


@pytest.mark.parametrize("kind", [81, 83])
def test_compressed_records_equal_plain(
    fixtures: Path, write: Callable[[bytes], str], kind: int
) -> None:
    pipe = pipe_of(fixtures)
    source = source_of(fixtures)
    records = bytes(source.data[source.start : source.end])
    packer = zstandard.ZstdCompressor().compressobj()
    out = pipe[: len(pipe) - len(records)]
    for i in range(0, len(records), 20_000):  # pieces end in the middle of records
        piece = packer.compress(records[i : i + 20_000])
        piece += packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        if kind == 83:
            body = struct.pack("<Q", len(piece)) + piece + bytes(-len(piece) % 8)
        else:
            body = piece
        out += struct.pack("<IHH", kind, 0, 8 + len(body)) + body
    equal(read_trace(fixtures / NAME), read_trace(write(out)))


def test_records_after_a_bad_size_are_left_out_and_named(
    fixtures: Path, write: Callable[[bytes], str]
) -> None:
    source = source_of(fixtures)
    data = bytearray(source.data)
    at, middle = source.start, (source.start + source.end) // 2
    while at < middle:
        at += struct.unpack_from("<H", data, at + 6)[0]
    data[at + 6 : at + 8] = b"\4\0"
    trace = read_trace(write(bytes(data)))
    assert 0 < sum(trace.events().values()) < SAMPLES
    assert any(m.offset == at and m.kind == "corrupt" for m in trace.missing)


def test_lost_records_are_counted(fixtures: Path, write: Callable[[bytes], str]) -> None:
    pipe = pipe_of(fixtures) + struct.pack("<IHHQQ", 2, 0, 24, 1, 99)
    lost = [m for m in read_trace(write(pipe)).missing if m.kind == "lost"]
    assert [m.count for m in lost] == [99]


def test_big_endian_is_a_clear_error(fixtures: Path, write: Callable[[bytes], str]) -> None:
    data = b"2ELIFREP" + (fixtures / NAME).read_bytes()[8:]
    with pytest.raises(TraceError) as caught:
        read_trace(write(data))
    assert caught.value.code == "LP0606"


def test_task_names_change_over_time() -> None:
    names = TaskNames()
    names.set(7, 100, b"early")
    names.set(7, 200, b"late")
    names.set(-780051001, 1, b"damaged")
    pid = np.array([7, 7, 7, 0, 8], dtype=np.int32)
    time = np.array([50, 150, 200, 1, 1])
    got = np.empty(5, dtype="S16")
    names.fill(pid, time, {8: "saved"}, got)
    assert got.tolist() == [b"early", b"early", b"late", b"<idle>", b"saved"]


@pytest.mark.parametrize("size", [60, 68, 4096])
def test_an_attribute_of_impossible_size_is_a_clear_error(
    fixtures: Path, write: Callable[[bytes], str], size: int
) -> None:
    pipe = bytearray(pipe_of(fixtures))
    pipe[28:32] = struct.pack("<I", size)
    with pytest.raises(TraceError) as caught:
        read_trace(write(bytes(pipe)))
    assert caught.value.code == "LP0602" and f"{size} bytes" in str(caught.value)


def test_a_recording_whose_perf_was_killed_says_so_and_keeps_its_samples(
    fixtures: Path, write: Callable[[bytes], str]
) -> None:
    source = source_of(fixtures)
    data = bytearray(source.data[: source.end])
    data[48:56] = bytes(8)
    trace = read_trace(write(bytes(data)))
    assert sum(trace.events().values()) == SAMPLES
    assert [m.text.partition(":")[0] for m in trace.missing] == [
        "perf was killed before it closed the file"
    ]
    name = next(iter(trace.events()))
    assert name.startswith("unknown:")
    assert trace.columns(name)["time_ns"].size == trace.events()[name]


def with_clock(fixtures: Path, samples: int) -> bytes:
    """The fixture in pipe mode with a second event, cpu-clock, and some samples of it."""
    source = source_of(fixtures)
    pipe = pipe_of(fixtures)
    assert all(a.sample_type & 1 << 16 for a in source.attrs), "identified by their first word"
    kind = 1 << 16 | 2 | 4 | 128  # identifier, tid, time, cpu: no raw data
    attr = struct.pack("<IIQQQQQ", 1, 128, 0, 4000, kind, 0, 1 << 18).ljust(128, b"\0")
    head = struct.pack("<IHH", 64, 0, 8 + 128 + 8) + attr + struct.pack("<Q", 1 << 40)
    body = struct.pack("<QIIQII", 1 << 40, 9, 9, 34_600_000_000, 0, 0)
    sample = struct.pack("<IHH", 9, 0, 8 + len(body)) + body
    return pipe[:16] + head + pipe[16:] + sample * samples


def test_samples_of_other_events_are_no_gap(fixtures: Path, write: Callable[[bytes], str]) -> None:
    trace = read_trace(write(with_clock(fixtures, 7)))
    equal(read_trace(fixtures / NAME), trace)
    assert (trace.others, trace.is_complete) == ({"cpu-clock": 7}, True)


def test_a_directory_of_perf_record_threads_equals_one_file(fixtures: Path, tmp_path: Path) -> None:
    source = source_of(fixtures)
    data = bytearray(source.data)
    at, middle = source.start, (source.start + source.end) // 2
    while at < middle:
        at += struct.unpack_from("<H", data, at + 6)[0]
    folder = tmp_path / "perf.data"
    folder.mkdir()
    # The second half of the records in a file of its own; in the first one a record to skip it.
    (folder / "data.0").write_bytes(bytes(data[at : source.end]))
    (folder / "data.1").write_bytes(b"")
    rest = source.end - at
    while rest:
        size = min(rest, 0xFFF8) if rest != 0xFFFC else 0x1000
        data[at : at + 8] = struct.pack("<IHH", 68, 0, size)
        at, rest = at + size, rest - size
    (folder / "data").write_bytes(bytes(data))
    equal(read_trace(fixtures / NAME), read_trace(folder))


def test_another_directory_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(TraceError) as caught:
        read_trace(tmp_path)
    assert caught.value.code == "LP0600" and "perf record --threads" in str(caught.value)

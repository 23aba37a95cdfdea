"""trace.dat: versions, compressions, counts, columns; and the same buffer as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from loadput.base.errors import TraceError
from loadput.trace import Trace, decode_flags, read_trace
from loadput.trace.cursor import read_bytes
from loadput.trace.formats.tracedat import open_tracedat
from loadput.trace.raw import RawBackend

COUNTS = {
    "x86-6.1.dat": 12331,
    "x86-6.1-zlib.dat": 12331,
    "x86-6.1-v6.dat": 2195,
    "x86-6.12-ioctl.dat": 6366,
    "x86-6.12-ple.dat": 6089,
    "arm64-6.12.dat": 6911,
    "riscv64-7.2.dat": 7135,
}


def same_columns(a: Trace, b: Trace) -> None:
    names = dict.fromkeys(a.events())
    assert a.events() == b.events()
    left, right = a.column_set(names), b.column_set(names)
    for name in names:
        for key, column in left[name].items():
            assert column.tolist() == right[name][key].tolist(), (name, key)


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_events_count_of_each_fixture(fixtures: Path, name: str, count: int) -> None:
    trace = read_trace(fixtures / name)
    assert sum(trace.events().values()) == count
    assert trace.is_complete and trace.clock == "mono" and trace.has_ns_clock


def test_columns_zlib_equals_zstd(fixtures: Path) -> None:
    same_columns(read_trace(fixtures / "x86-6.1.dat"), read_trace(fixtures / "x86-6.1-zlib.dat"))


def test_columns_unpacked_each_time_equal_kept_ones(fixtures: Path) -> None:
    whole = read_trace(fixtures / "x86-6.12-ple.dat")
    same_columns(whole, read_trace(fixtures / "x86-6.12-ple.dat", cache_bytes=0))


def test_columns_wrapped_equals_plain(fixtures: Path, write: Callable[[bytes], str]) -> None:
    import gzip

    packed = write(gzip.compress((fixtures / "riscv64-7.2.dat").read_bytes()))
    same_columns(read_trace(fixtures / "riscv64-7.2.dat"), read_trace(packed))


def test_columns_text_of_the_same_buffer_is_equal(fixtures: Path) -> None:
    """Every field that the text prints as a number or name equals the binary one."""
    binary, text = read_trace(fixtures / "x86-6.1.dat"), read_trace(fixtures / "x86-6.1.txt.xz")
    assert binary.events() == text.events()
    left = binary.column_set(dict.fromkeys(binary.events()))
    right = text.column_set(dict.fromkeys(text.events()))
    compared = 0
    for name, cols in left.items():
        here = np.lexsort((cols["seq"], cols["cpu"]))
        there = np.lexsort((right[name]["seq"], right[name]["cpu"]))
        for key in set(cols) & set(right[name]) - {"seq", "caller", "prev_state", "grow"}:
            a, b = cols[key][here], right[name][key][there]
            if key == "time_ns":
                a = (a + 500) // 1000 * 1000
            assert a.astype(b.dtype).tolist() == b.tolist(), (name, key)
            compared += 1
    assert compared > 350


def test_columns_sorted_by_time_and_named_fields_only(fixtures: Path) -> None:
    cols = read_trace(fixtures / "x86-6.1.dat").columns("kvm_entry", ["rip"])
    assert set(cols) == {"time_ns", "cpu", "pid", "flags", "preempt_depth", "seq", "rip"}
    assert (np.diff(cols["time_ns"]) >= 0).all()


def test_columns_full_name_and_field_of_a_taken_name(fixtures: Path) -> None:
    trace = read_trace(fixtures / "x86-6.1.dat")
    cols = trace.columns("sched:sched_wakeup")
    assert {"pid", "pid_field", "comm", "comm_field"} <= set(cols)
    assert trace.events()["sched:sched_wakeup"] == cols["pid"].size


def test_columns_unknown_event_names_what_is_there(fixtures: Path) -> None:
    with pytest.raises(TraceError) as caught:
        read_trace(fixtures / "x86-6.1.dat").columns("kvm_entri")
    assert caught.value.code == "LP0607"
    assert "kvm_entry" in str(caught.value)


def test_columns_unknown_field_names_what_is_there(fixtures: Path) -> None:
    with pytest.raises(TraceError, match="has no field: 'ripp'"):
        read_trace(fixtures / "x86-6.1.dat").columns("kvm_entry", ["ripp"])


def test_decode_flags_of_sched_switch(fixtures: Path) -> None:
    cols = read_trace(fixtures / "x86-6.1.dat").columns("sched_switch", [])
    context = decode_flags(cols["flags"], cols["preempt_depth"])
    assert context["irqs_off"].all() and (context["preempt_depth"] == 2).all()
    assert not context["hardirq"].any()


def test_symbol_of_a_probe(fixtures: Path) -> None:
    trace = read_trace(fixtures / "riscv64-7.2.dat")
    address = trace.columns("arch_load", ["__probe_ip"])["__probe_ip"][0]
    assert trace.symbol(int(address)) == "kvm_arch_vcpu_load"


def test_missed_events_mark_in_a_page_is_reported(
    fixtures: Path, write: Callable[[bytes], str]
) -> None:
    data = bytearray((fixtures / "x86-6.1-v6.dat").read_bytes())
    source = open_tracedat(read_bytes(write(bytes(data))), "x")
    at = source.cpus[0].offset + 4096 + 8
    data[at + 3] |= 0x80
    trace = read_trace(write(bytes(data)))
    lost = [m for m in trace.missing if m.kind == "lost"]
    assert len(lost) == 1 and lost[0].cpu == 0 and lost[0].count == -1
    assert not trace.is_complete


def test_overrun_counter_is_reported(fixtures: Path) -> None:
    source = open_tracedat(read_bytes(fixtures / "x86-6.1.dat"), "x")
    source.meta.cpu_stats = {0: {"entries": 12331.0, "overrun": 5.0}, 1: {"entries": 0.0}}
    assert [m.kind for m in Trace(RawBackend(source)).missing] == ["lost"]


def test_counter_clock_counts_no_time(fixtures: Path) -> None:
    trace = read_trace(fixtures / "x86-6.1.dat")
    trace.meta.clock = "x86-tsc"
    assert not trace.has_ns_clock
    trace.meta.tsc = (1 << 31, 32)
    assert trace.has_ns_clock


def test_tsc_conversion_scales_times(fixtures: Path) -> None:
    source = open_tracedat(read_bytes(fixtures / "x86-6.1.dat"), "x")
    plain = Trace(RawBackend(source)).time_range()
    source.meta.tsc = (1 << 31, 32)
    assert Trace(RawBackend(source)).time_range() == (plain[0] // 2, plain[1] // 2)


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ((0, b"X"), "LP0602"),
        ((10, b"9"), "LP0606"),
        ((12, b"\1"), "LP0606"),
        ((13, b"\4"), "LP0606"),
    ],
)
def test_read_trace_wrong_header_is_a_clear_error(
    fixtures: Path, write: Callable[[bytes], str], patch: tuple[int, bytes], code: str
) -> None:
    data = bytearray((fixtures / "x86-6.1.dat").read_bytes())
    data[patch[0] : patch[0] + 1] = patch[1]
    with pytest.raises(TraceError) as caught:
        read_trace(write(bytes(data)))
    assert caught.value.code == code


def test_read_trace_unknown_compression_names_the_known(
    fixtures: Path, write: Callable[[bytes], str]
) -> None:
    data = (fixtures / "x86-6.1.dat").read_bytes().replace(b"zstd\0", b"lzma\0", 1)
    with pytest.raises(TraceError, match="none, zlib, zstd"):
        read_trace(write(data))


def test_read_trace_no_such_file() -> None:
    with pytest.raises(TraceError) as caught:
        read_trace("/nowhere/trace.dat")
    assert caught.value.code == "LP0600"

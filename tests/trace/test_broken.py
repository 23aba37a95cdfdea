"""Broken input: a clear error or a marked gap; never a crash, a hang, or memory without bound."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadput.base.errors import TraceError
from loadput.trace import read_trace
from loadput.trace.account import account_trace

from .conftest import FIXTURES

BINARY = ["x86-6.12-ioctl.dat", "x86-6.1-v6.dat", "x86-6.1-zlib.dat", "x86-6.12-perf.data"]
DATA = {name: (FIXTURES / name).read_bytes() for name in BINARY}
TEXT = read_trace(FIXTURES / "x86-6.1.txt.xz")
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def digest(data: bytes) -> str:
    """Read everything; say how it went. Anything but a TraceError is a failure."""
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        file.write(data)
        file.flush()
        try:
            trace = read_trace(file.name)
            for name in trace.events():
                try:
                    trace.columns(name)
                except TraceError as why:
                    assert why.code.startswith("LP06") and file.name in why.render()
            account_trace(trace)
        except TraceError as why:
            assert why.code.startswith("LP06") and why.render().startswith("error[")
            return "error"
        return "gaps" if trace.missing else "whole"


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("share", [0.001, 0.02, 0.2, 0.4, 0.6, 0.8, 0.95, 0.999])
def test_truncated_anywhere_is_an_error_or_a_gap(name: str, share: float) -> None:
    assert digest(DATA[name][: int(len(DATA[name]) * share)]) in ("error", "gaps")


@pytest.mark.parametrize("name", BINARY)
def test_truncated_at_every_header_byte(name: str) -> None:
    for size in range(0, 64):
        with pytest.raises(TraceError), tempfile.NamedTemporaryFile() as file:
            file.write(DATA[name][:size])
            file.flush()
            read_trace(file.name)


def test_truncated_pages_keep_what_is_before(write: Callable[[bytes], str]) -> None:
    data = DATA["x86-6.1-v6.dat"]
    whole = sum(read_trace(write(data)).events().values())
    trace = read_trace(write(data[:-10_000]))
    assert whole - 300 < sum(trace.events().values()) < whole
    gap = trace.missing[0]
    assert (gap.kind, gap.section) == ("truncated", "buffer flyrecord")
    assert gap.offset == len(data) - 10_000 and "bytes at" in gap.expected


def test_lost_options_of_a_cut_file_are_recovered(write: Callable[[bytes], str]) -> None:
    trace = read_trace(write(DATA["x86-6.12-ioctl.dat"][:-2500]))
    assert sum(trace.events().values()) > 5000
    assert "CPUs are numbered in file order" in trace.missing[0].text


def test_options_in_a_loop_end(write: Callable[[bytes], str]) -> None:
    data = bytearray(DATA["x86-6.12-ioctl.dat"])
    head = data.index(b"zstd\0x\0") + 7
    first = int.from_bytes(data[head : head + 8], "little")
    data[-8:] = first.to_bytes(8, "little")
    with pytest.raises(TraceError, match="loop"):
        read_trace(write(bytes(data)))


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 1 << 28])
def test_a_chunk_that_claims_gigabytes_allocates_nothing(
    write: Callable[[bytes], str], size: int
) -> None:
    data = bytearray(DATA["x86-6.12-ioctl.dat"])
    trace = read_trace(write(bytes(data)))
    at = trace._backend.source.cpus[0].offset  # type: ignore[attr-defined]
    data[at + 8 : at + 12] = size.to_bytes(4, "little")
    trace = read_trace(write(bytes(data)))
    trace.events()
    assert any("chunk size" in m.text for m in trace.missing)


def test_a_damaged_chunk_is_left_out_and_the_rest_is_read(write: Callable[[bytes], str]) -> None:
    data = bytearray(DATA["x86-6.12-ioctl.dat"])
    at = read_trace(write(bytes(data)))._backend.source.cpus[0].offset  # type: ignore[attr-defined]
    data[at + 12 : at + 16] = b"\0\0\0\0"
    trace = read_trace(write(bytes(data)))
    assert 4000 < sum(trace.events().values()) < 6366
    assert [m.kind for m in trace.missing] == ["corrupt"]


@given(st.sampled_from(BINARY), st.data())
@QUICK
def test_flipped_bytes_never_crash(name: str, draw: st.DataObject) -> None:
    data = bytearray(DATA[name])
    spots = st.integers(0, len(data) - 1) | st.integers(0, min(len(data), 4000) - 1)
    for _ in range(draw.draw(st.integers(1, 6))):
        data[draw.draw(spots)] = draw.draw(st.integers(0, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        digest(bytes(data))


@given(st.sampled_from(BINARY), st.data())
@QUICK
def test_wrong_sizes_never_crash(name: str, draw: st.DataObject) -> None:
    data = bytearray(DATA[name])
    at = draw.draw(st.integers(0, len(data) - 9) | st.integers(0, 3000))
    width = draw.draw(st.sampled_from([2, 4, 8]))
    value = draw.draw(st.integers(0, 256**width - 1) | st.sampled_from([0, 256**width - 1]))
    data[at : at + width] = value.to_bytes(width, "little")
    digest(bytes(data))


@given(st.binary(max_size=400))
@QUICK
def test_any_bytes_never_crash(data: bytes) -> None:
    digest(data)


@given(st.sampled_from([b"\x17\x08\x44tracing6\0\0\x08", b"PERFILE2"]), st.binary(max_size=400))
@QUICK
def test_any_bytes_behind_a_magic_never_crash(magic: bytes, data: bytes) -> None:
    digest(magic + data)


@given(
    st.lists(st.sampled_from(TEXT.columns("sched_switch")["text"].tolist()[:50]), max_size=5),
    st.text(max_size=200),
)
@QUICK
def test_any_text_never_crashes(lines: list[str], noise: str) -> None:
    good = [f" a-1 [000] d..2. 1.000001: sched_switch: {x}" for x in lines]
    digest("\n".join([noise, *good, noise]).encode("utf-8", "replace"))


def test_no_fixture_is_broken(fixtures: Path) -> None:
    assert [digest(DATA[name]) for name in BINARY] == ["whole"] * 4

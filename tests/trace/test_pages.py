"""Ring buffer pages, one rule at a time, on pages made by hand."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from loadput.trace.pages import MISSED_EVENTS, MISSED_STORED, PageEvents, walk_pages

PAGE = 4096


def entry(payload: bytes, delta: int = 0) -> bytes:
    assert len(payload) % 4 == 0 and 4 <= len(payload) <= 112
    return struct.pack("<I", len(payload) // 4 | delta << 5) + payload


def long_entry(payload: bytes, delta: int = 0) -> bytes:
    return struct.pack("<II", delta << 5, len(payload) + 4) + payload


def wide(kind: int, value: int) -> bytes:
    return struct.pack("<II", kind | (value & (1 << 27) - 1) << 5, value >> 27)


def page(body: bytes, stamp: int = 1000, flags: int = 0, commit: int | None = None) -> np.ndarray:
    size = len(body) if commit is None else commit
    raw = struct.pack("<QQ", stamp, size | flags) + body
    return np.frombuffer(raw.ljust(PAGE, b"\0"), np.uint8)


def offsets(data: np.ndarray, found: PageEvents) -> list[int]:
    return (found.records["at"] - data.ctypes.data).tolist()


A, B = b"A" * 8, b"B" * 12


def test_walk_pages_two_events_sizes_and_times() -> None:
    data = page(entry(A) + entry(B, delta=5))
    found = walk_pages(data, PAGE, cpu=3, seq=7)
    assert found.records["size"].tolist() == [8, 12]
    assert found.time.tolist() == [1000, 1005]
    assert offsets(data, found) == [20, 32]
    assert found.records["id"].tolist() == [0x4141, 0x4242]
    assert found.records["cpu"].tolist() == [3, 3] and found.records["seq"].tolist() == [7, 8]


def test_walk_pages_time_extend_adds_59_bits() -> None:
    found = walk_pages(page(entry(A) + wide(30, 1 << 40) + entry(A, delta=3)), PAGE)
    assert found.time.tolist() == [1000, 1000 + (1 << 40) + 3]


def test_walk_pages_absolute_stamp_replaces_and_keeps_high_bits() -> None:
    high = 0xF8 << 56
    found = walk_pages(page(entry(A) + wide(31, 5000) + entry(A, delta=2), stamp=high + 1), PAGE)
    assert found.time.astype(np.uint64).tolist() == [high + 1, high + 5002]


def test_walk_pages_length_in_second_word() -> None:
    data = page(long_entry(b"x" * 200) + entry(A, delta=1))
    found = walk_pages(data, PAGE)
    assert found.records["size"].tolist() == [200, 8]
    assert offsets(data, found) == [24, 24 + 200 + 4]


def test_walk_pages_page_filler_takes_no_time() -> None:
    filler = struct.pack("<II", 29 | 1 << 5, 8) + bytes(4)
    found = walk_pages(page(entry(A) + filler + entry(A, delta=7)), PAGE)
    assert found.time.tolist() == [1000, 1007]


def test_walk_pages_discarded_event_keeps_its_time() -> None:
    discarded = struct.pack("<II", 29 | 40 << 5, 8) + bytes(4)
    found = walk_pages(page(entry(A) + discarded + entry(A, delta=7)), PAGE)
    assert found.time.tolist() == [1000, 1047]


def test_walk_pages_null_padding_ends_the_page() -> None:
    found = walk_pages(page(entry(A) + struct.pack("<II", 29, 0) + bytes(64)), PAGE)
    assert found.records["size"].tolist() == [8]
    assert not found.bad


@pytest.mark.parametrize("stored", [True, False])
def test_walk_pages_missed_events_counted_where_stored(stored: bool) -> None:
    flags = MISSED_EVENTS | (MISSED_STORED if stored else 0)
    body = entry(A)
    raw = page(body + struct.pack("<Q", 77), flags=flags, commit=len(body))
    assert walk_pages(raw, PAGE).missed == [(0, 77 if stored else -1)]


def test_walk_pages_entry_past_commit_is_cut_and_reported() -> None:
    found = walk_pages(page(entry(A) + entry(B), commit=16), PAGE)
    assert found.records["size"].tolist() == [8]
    assert found.bad == [(0, 28, "an entry longer than its page")]


def test_walk_pages_impossible_commit_leaves_the_page_out() -> None:
    pages = np.concatenate([page(entry(A), commit=PAGE), page(entry(B), stamp=2000)])
    found = walk_pages(pages, PAGE)
    assert found.records["size"].tolist() == [12]
    assert found.time.tolist() == [2000]
    assert found.bad[0][0] == 0


def test_walk_pages_endless_zero_words_end() -> None:
    found = walk_pages(page(bytes(PAGE - 16)), PAGE)
    assert found.time.size <= PAGE // 8


def test_walk_pages_many_pages_restart_the_clock() -> None:
    pages = [page(entry(A) + entry(A, delta=1), stamp=10_000 * i) for i in range(50)]
    found = walk_pages(np.concatenate(pages), PAGE)
    assert found.time.reshape(50, 2)[:, 0].tolist() == [10_000 * i for i in range(50)]
    assert found.records["seq"].tolist() == list(range(100))


def test_walk_pages_larger_sub_buffers() -> None:
    raw = struct.pack("<QQ", 5, 3000 * 12) + entry(A) * 3000
    found = walk_pages(np.frombuffer(raw.ljust(65536, b"\0"), np.uint8), 65536)
    assert found.time.size == 3000

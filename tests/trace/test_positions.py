"""Where the records stand is kept after the first walk, within its bound, and changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadput.trace import Trace, read_trace
from loadput.trace.pages import RECORD
from loadput.trace.positions import EACH_BYTES, Positions
from loadput.trace.source import Batch

NAMES = ["x86-6.12-perf.data", "x86-6.1.dat", "x86-6.1-zlib.dat", "riscv64-7.2.dat"]


def walks(trace: Trace) -> list[int]:
    """Counts the walks of ``trace`` from now on."""
    source: Any = trace._backend.source  # type: ignore[attr-defined]
    count = [0]
    runs = type(source).runs

    def counted(progress: Any = None) -> Any:
        count[0] += 1
        return runs(source, progress)

    proxy = type("Counted", (), {"runs": staticmethod(counted)})()
    for name in ("buffers", "fill_names", "meta"):
        setattr(proxy, name, getattr(source, name))
    trace._backend.source = proxy  # type: ignore[attr-defined]
    return count


@pytest.mark.parametrize("name", NAMES)
def test_columns_one_by_one_equal_all_at_once(fixtures: Path, name: str) -> None:
    together = read_trace(fixtures / name)
    whole = together.column_set(dict.fromkeys(together.events()))
    one, none = read_trace(fixtures / name), read_trace(fixtures / name, cache_bytes=0)
    for event, columns in whole.items():
        for trace in (one, none):
            got = trace.columns(event)
            assert list(got) == list(columns)
            for key in columns:
                assert got[key].tolist() == columns[key].tolist(), (event, key)


@pytest.mark.parametrize(("bound", "count"), [(1 << 30, 2), (1000, None)])
def test_a_loop_over_all_events_walks_once(fixtures: Path, bound: int, count: int | None) -> None:
    trace = read_trace(fixtures / NAMES[1], cache_bytes=bound)
    counted = walks(trace)
    for event in trace.events():
        trace.columns(event, [])
    # To count, and to find; beyond the bound one attempt more, and each time again.
    assert counted[0] == (count or len(trace.events()) + 2)


def test_records_are_sorted_by_event_run_cpu_and_time() -> None:
    data = np.zeros(64, dtype=np.uint8)
    records = np.zeros(6, dtype=RECORD)
    records["id"], records["cpu"] = [7, 3, 7, 7, 3, 7], [1, 0, 0, 1, 0, 1]
    time = np.array([10, 11, 12, 9, 13, 14])
    kept = Positions(1 << 20)
    kept.add(0, Batch(data, time, records))
    kept.add(1, Batch(data, time[:1] + 5, records[:1]))
    kept.finish()
    assert [t.tolist() for _, t, _ in kept.of(7)] == [[12], [9, 10, 14], [15]]
    assert [t.tolist() for _, t, _ in kept.of(3)] == [[11, 13]]
    assert kept.of(4) == []


def test_what_does_not_fit_is_not_kept() -> None:
    batch = Batch(np.zeros(8, np.uint8), np.zeros(9, np.int64), np.zeros(9, dtype=RECORD))
    exact = Positions(9 * EACH_BYTES + 8)
    exact.add(0, batch)
    less = Positions(9 * EACH_BYTES + 7)
    less.add(0, batch)
    assert (exact.fits, less.fits) == (True, False)
    assert less.batches == []

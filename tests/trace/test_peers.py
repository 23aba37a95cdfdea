"""Our columns against what ``trace-cmd report -R`` and ``perf script`` print, event by event."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from loadput.trace import read_trace
from loadput.trace.raw import RawBackend
from loadput.trace.table import Trace

LINE = re.compile(
    r"^\s*(?P<comm>.+?)-(?P<pid>\d+)\s+\[(\d+)\]\s+([\d.]+):\s+(\w+):\s*(?P<rest>.*)$"
)
PAIR = re.compile(r"(\w+)=(ARRAY\[[^\]]*\]|.*?)(?=\s+\w+=|$)")


def run(*command: str) -> list[str]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed (Debian: trace-cmd, linux-perf)")
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True)
    return done.stdout.splitlines()


def ordered(trace: Trace) -> list[tuple[str, int, dict[str, object]]]:
    """All events in the order of trace-cmd: time, CPU, position."""
    rows = []
    for name in trace.events():
        cols = trace.columns(name)
        lists = {key: list(column) for key, column in cols.items()}
        for i in range(cols["time_ns"].size):
            row = {key: values[i] for key, values in lists.items()}
            rows.append((int(row["time_ns"]), int(row["cpu"]), int(row["seq"]), name, row))
    rows.sort(key=lambda r: r[:3])
    return [(name, time, row) for time, _, _, name, row in rows]


def agrees(text: str, value: object) -> bool:
    """Whether trace-cmd's raw print of one field says the same as ours."""
    if isinstance(value, bytes):
        return text.encode() == value
    if isinstance(value, np.ndarray):
        numbers = [int(x, 16) for x in re.findall(r"[0-9a-f]+", text.removeprefix("ARRAY["))]
        return numbers == [int(x) for x in value]
    number = int(value)  # type: ignore[call-overload]
    printed = {str(number), f"{number:x}", hex(number)}
    stripped = re.sub(r"^(0x)?0+(?=.)", "", text)
    return (
        text in printed
        or stripped in printed
        or (text.startswith("0x") and int(text, 16) == number)
    )


@pytest.mark.parametrize(
    "name",
    ["x86-6.1.dat", "x86-6.12-ioctl.dat", "x86-6.12-ple.dat", "arm64-6.12.dat", "riscv64-7.2.dat"],
)
def test_columns_equal_trace_cmd_raw(fixtures: Path, name: str) -> None:
    lines = [
        x for x in map(LINE.match, run("trace-cmd", "report", "-R", str(fixtures / name))) if x
    ]
    trace = read_trace(fixtures / name)
    mine = ordered(trace)
    assert len(lines) == len(mine)
    compared: dict[str, int] = {}
    for match, (event, time, row) in zip(lines, mine, strict=True):
        assert match[5] == event
        assert match[4] == f"{(time + 500) // 1000 / 1e6:.6f}"
        assert int(match["pid"]) == row["pid"] and match["comm"].encode() == row["comm"]
        for key, text in PAIR.findall(match["rest"]):
            own = row[f"{key}_field"] if f"{key}_field" in row else row[key]
            if "+0x" in text and key != "comm":  # a symbol: trace-cmd's guess of the address
                continue
            if f"(u8)REC->{key}" in trace.print_format(event):
                own = int(own) & 0xFF  # type: ignore[call-overload]  # -R prints after the cast
            assert agrees(text.strip(), own), (event, key, text, own)
            compared[event] = compared.get(event, 0) + 1
    assert set(compared) == set(trace.events())


def test_columns_equal_perf_script(fixtures: Path) -> None:
    """perf script leaves out samples that hit while a guest was marked as running."""
    path = fixtures / "x86-6.12-perf.data"
    lines = run("perf", "script", "--ns", "-F", "comm,tid,cpu,time,event", "-i", str(path))
    theirs = {}
    for line in lines:
        match = re.match(r"\s*(.+?)\s+(\d+)\s+\[(\d+)\]\s+([\d.]+):\s+\w+:(\w+):", line)
        assert match is not None, line
        theirs[(match[4], int(match[3]), match[5])] = (match[1].encode(), int(match[2]))
    trace = read_trace(path)
    mine = {}
    for name in trace.events():
        cols = trace.columns(name)
        for i in range(cols["time_ns"].size):
            time = int(cols["time_ns"][i])
            key = (f"{time // 10**9}.{time % 10**9:09d}", int(cols["cpu"][i]), name)
            mine[key] = (bytes(cols["comm"][i]), int(cols["pid"][i]))
    assert set(theirs) <= set(mine)
    different = {k for k in theirs if theirs[k] != mine[k] and mine[k][1] != 0}
    assert not different
    assert len(theirs) == len(lines) and len(mine) - len(theirs) == 33


def test_backend_of_a_fixture_is_raw(fixtures: Path) -> None:
    assert isinstance(read_trace(fixtures / "x86-6.1.dat")._backend, RawBackend)

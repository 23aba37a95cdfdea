"""Litmus tests of counterexamples: the text is one, and asks what the path did and SC forbids.

herd7 with the kernel's own model judges them too where both are there: the program on the path, the
model in the kernel tree that LOADPUT_LINUX_6_1 names.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from litmus_c import is_allowed, read

from loadput.api import Choice, Limits, check, load_scenario, make_scenario
from loadput.check.accesses import accesses_of
from loadput.check.cycle import find_circle
from loadput.check.verdict import Result
from loadput.machine.model import build_machine
from loadput.report.litmus import render_litmus

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))
import litmus

SHAPES = ("SB", "SB+rel+acq", "SB+rfi", "3.SB", "R", "RWC", "Z6.0", "n6", "n7")
LATE = [row for row in litmus.TESTS if row[0] in SHAPES]
HERD = shutil.which("herd7")
MODEL = Path(os.environ.get("LOADPUT_LINUX_6_1", "/")) / "tools" / "memory-model"


def test_of(r: Result, name: str) -> str:
    """The litmus test of a result's counterexample."""
    p = r.find(name)
    m = build_machine(r.machine.program, told=True)
    found = find_circle(accesses_of(m, p.path))
    assert found is not None
    return render_litmus(m, found, r.program, name, len(p.path))


@pytest.fixture(scope="module")
def kick() -> str:
    choice = Choice("svm", twin="mode_without_barrier", memory="tso")
    limits = Limits(stop_at_first=True, threads=1)
    return test_of(check(choice, load_scenario("default"), limits=limits), "NO-LOST-KICK")


def test_the_lost_kick_is_store_buffering(kick: str) -> None:
    t = read(kick)
    assert [[op for op in ops if op[0] != "register"] for ops in t.threads] == [
        [
            ("xchg", "r0", "v0_requests_0", "1"),
            ("fence", "mb"),
            ("read", "r1", "v0_mode"),
        ],
        [("release", "v0_mode", "1"), ("read", "r0", "v0_requests_0")],
    ]
    assert t.exists == {("0", "r1"): 0, ("1", "r0"): 0} and t.first == {}


def test_the_lost_kick_needs_a_store_buffer(kick: str) -> None:
    assert is_allowed(read(kick), buffers=True) and not is_allowed(read(kick), buffers=False)


@pytest.fixture(scope="module")
def passed() -> str:
    choice = Choice("riscv", release="v7.3", twin="riscv_request_without_barrier", memory="weak")
    limits = Limits(stop_at_first=True, threads=1)
    return test_of(check(choice, load_scenario("default"), limits=limits), "KICK-SENDS-IPI")


def test_a_store_that_passes_another_is_nothing_that_a_store_buffer_shows(passed: str) -> None:
    t = read(passed)
    assert [[op for op in ops if op[0] != "register"] for ops in t.threads] == [
        [("xchg", "r0", "v0_mode", "2"), ("read", "r1", "v0_cpu")],
        [("write", "v0_cpu", "1"), ("write", "v0_mode", "1")],
    ]
    assert t.exists == {("0", "r1"): 0, ("", "v0_mode"): 2}
    assert not is_allowed(t, buffers=True) and not is_allowed(t, buffers=False)


def test_of_row(row: tuple[str, list[str], str, str], folder: Path) -> str:
    """What our own counterexample of a litmus test of the examples is, as a litmus test."""
    name, threads, exists, _ = row
    design = litmus.write(folder, name, threads, exists)
    cpus = len(threads)
    scenario = make_scenario("litmus", litmus.scenario_of(design, cpus))
    r = check(Choice("svm", design, search=(folder,), memory="tso"), scenario)
    return test_of(r, "EXISTS")


test_of.__test__ = test_of_row.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize("row", LATE, ids=[row[0] for row in LATE])
def test_what_tso_allows_and_sc_does_not(
    row: tuple[str, list[str], str, str], tmp_path: Path
) -> None:
    t = read(test_of_row(row, tmp_path))
    assert len(t.threads) <= len(row[1])
    assert is_allowed(t, buffers=True) and not is_allowed(t, buffers=False)


@pytest.mark.skipif(not HERD or not MODEL.is_dir(), reason="no herd7, or no kernel tree")
def test_linux_memory_model_allows_them(kick: str, passed: str, tmp_path: Path) -> None:
    files = {"kick": kick, "passed": passed} | {
        row[0]: test_of_row(row, tmp_path / row[0]) for row in LATE
    }
    for name, text in files.items():
        file = tmp_path / f"{name}.litmus"
        file.write_text(text)
        done = subprocess.run(
            [str(HERD), "-conf", "linux-kernel.cfg", str(file)],
            cwd=MODEL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "\nObservation" in done.stdout and " Sometimes " in done.stdout, (name, done.stderr)

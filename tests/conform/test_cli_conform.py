"""``loadput conform``: text, JSON, exit codes, bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from loadput.conform import Conformance

from .conftest import FIXTURES, OVERLAYS

TWIN = ["--release", "v6.12", "--twin", "sout_cleared_before_load"]


def run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).parent / "loadput", "conform", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("words", [[], TWIN])
def test_text_fits_72_columns_and_ends_in_its_command(words: list[str]) -> None:
    path = FIXTURES / "x86-6.12-ple.dat"
    done = run(path, *words)
    assert done.returncode == (1 if words else 0), done.stderr
    lines = done.stdout.splitlines()
    assert not [x for x in lines if len(x) > 72 and str(path) not in x]
    assert lines[-1] == " ".join(["reproduce: loadput conform", str(path), *words])
    assert "NOT COVERED" in lines
    assert done.stdout == run(path, *words).stdout, "deterministic"


def test_several_files_end_with_the_worst_exit_code() -> None:
    good, bad = FIXTURES / "x86-6.12-perf.data", FIXTURES / "arm64-6.12.dat"
    done = run(good, bad, "--overlays", OVERLAYS, "--release", "v6.12", "--twin", "on_rq_ignored")
    assert done.returncode == 1
    assert done.stdout.count("reproduce:") == 2


def test_json_decodes_into_the_documented_types() -> None:
    done = run(FIXTURES / "arm64-6.12.dat", *TWIN, "--json", "-")
    assert done.returncode == 1
    (result,) = msgspec.json.decode(done.stdout, type=list[Conformance])
    assert (result.schema, result.verdict, result.exit_code) == (1, "diverges", 1)
    assert result.fits[0].first is not None and len(result.fits[0].first.context) == 10
    page = (Path(__file__).parents[2] / "docs/conform.md").read_text("utf-8")
    for key in json.loads(done.stdout)[0]:
        assert f"`{key}`" in page, "docs/conform.md names every key"


def test_a_recording_without_probes_is_bad_input_and_says_how_to_record(tmp_path: Path) -> None:
    text = "# tracer: nop\n  a-1 [000] d..2.  1.000000: sched_switch: prev_comm=a prev_pid=1\n"
    (tmp_path / "t.txt").write_text(text)
    done = run(tmp_path / "t.txt")
    assert done.returncode == 2
    assert "error[LP0622]" in done.stderr and "docs/traces.md" in done.stderr


@pytest.mark.parametrize(
    "words",
    [["no-such-file"], [FIXTURES / "x86-6.1-v6.dat", "--release", "v9"], [],
     [FIXTURES / "x86-6.1-v6.dat", "--arch", "vax"]],
)  # fmt: skip
def test_bad_input_exits_2_without_a_traceback(words: list[object]) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert done.stderr and "Traceback" not in done.stderr


def test_lost_events_at_an_unknown_place_decide_nothing(tmp_path: Path) -> None:
    from loadput.conform import conform_trace
    from loadput.trace import read_trace
    from loadput.trace.metadata import Missing

    trace = read_trace(str(FIXTURES / "arm64-6.12.dat"))
    trace.meta.missing.append(Missing("lost", "somewhere", count=3))
    result = conform_trace(trace, release="v6.12", twin="sout_cleared_before_load")
    assert (result.verdict, result.exit_code) == ("not decided", 4)

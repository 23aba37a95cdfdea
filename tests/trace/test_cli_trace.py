"""``loadput trace``: text, JSON, comparison, errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loadput.base.errors import TraceError
from loadput.cli.trace import command


def run(*words: object) -> Result:
    return CliRunner().invoke(command, [str(w) for w in words])


@pytest.mark.parametrize("name", ["x86-6.12-ioctl.dat", "arm64-6.12.dat", "x86-6.12-perf.data"])
def test_trace_text_fits_72_columns_and_ends_in_its_command(fixtures: Path, name: str) -> None:
    result = run(fixtures / name)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[-1] == f"reproduce: loadput trace {fixtures / name}"
    long = [x for x in lines if len(x) > 72 and str(fixtures) not in x]
    assert not long
    assert "NOT COVERED" in lines and "WHAT A DESIGN COULD SKIP" in result.output


def test_trace_text_is_deterministic(fixtures: Path) -> None:
    assert (
        run(fixtures / "x86-6.12-ioctl.dat").output == run(fixtures / "x86-6.12-ioctl.dat").output
    )


def test_trace_json_holds_what_the_text_shows(fixtures: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    assert run(fixtures / "x86-6.12-ioctl.dat", "--json", target).exit_code == 0
    (data,) = json.loads(target.read_text())
    assert data["schema"] == 1 and data["total"]["loads"]["sched_in"] == 92
    assert {"rule", "skips", "wrong", "interval"} <= set(data["skips"][0])


def test_trace_json_to_stdout(fixtures: Path) -> None:
    data = json.loads(run(fixtures / "x86-6.12-ioctl.dat", "--json", "-").output)
    assert data[0]["event_count"] == 6366


def test_trace_compares_several_files(fixtures: Path) -> None:
    result = run(fixtures / "x86-6.12-ioctl.dat", fixtures / "riscv64-7.2.dat")
    assert "SIDE BY SIDE" in result.output and "host: same CPU, own area" in result.output


def test_trace_window_and_vm_stand_in_the_command(fixtures: Path) -> None:
    result = run(fixtures / "x86-6.12-ioctl.dat", "--vm", "vm0", "--from", "+0.1", "--to", "+0.4")
    assert result.exit_code == 0
    assert result.output.splitlines()[-1].endswith("--vm vm0 --from +0.1 --to +0.4")


def test_trace_events_lists_counts(fixtures: Path) -> None:
    result = run("--events", fixtures / "x86-6.12-ioctl.dat")
    assert result.exit_code == 0 and "kvm_entry" in result.output


def test_trace_cut_file_says_what_is_incomplete(fixtures: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.dat"
    cut.write_bytes((fixtures / "x86-6.1-v6.dat").read_bytes()[:-10_000])
    result = run(cut)
    assert result.exit_code == 0 and "INCOMPLETE" in result.output


def test_trace_bad_file_raises_our_error(fixtures: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.dat"
    bad.write_bytes(b"\0" * 100)
    result = run(bad)
    assert isinstance(result.exception, TraceError)


@pytest.mark.parametrize("words", [["--from", "soon"], ["--html", "x.html", "again"], []])
def test_trace_bad_usage_exits_2(fixtures: Path, words: list[str]) -> None:
    files = [fixtures / "x86-6.12-ioctl.dat"] if words else []
    result = run(*files, *words)
    assert result.exit_code == 2 and "Traceback" not in result.output

"""What is kept between commands, as a user sees it: one line, the same report, and `cache`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def keeping(tmp_path: Path) -> Callable[..., Ran]:
    """``loadput ARGS`` with a cache of its own."""
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "LOADPUT_NO_CACHE": "0"}

    def run(*words: str, **more: str) -> Ran:
        return subprocess.run(
            [Path(sys.executable).with_name("loadput"), *words],
            cwd=ROOT, env=env | more, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip

    return run


def told(found: int, of: int) -> str:
    return f"kept: {found} of {of} results were there already; loadput cache\n"


@pytest.mark.parametrize(
    ("words", "of"),
    [
        (("check", "--design", "skip-iii", "--scenario", "one", "-v"), 1),
        (("check", "--arch", "riscv,mips", "--base", "v7.3:C", "--scenario", "one"), 4),
        (("check", "examples/mail.txt", "--arch", "riscv", "--scenario", "one"), 2),
        (("compare", "--design", "A,C", "--arch", "riscv", "--scenario", "one"), 2),
        (("museum", "arm-last-vcpu-tlb"), 2),
    ],
    ids=lambda x: x[0] if isinstance(x, tuple) else "",
)
def test_the_second_report_is_the_first_and_one_line_says_so(
    keeping: Callable[..., Ran], words: tuple[str, ...], of: int
) -> None:
    first, second = keeping(*words), keeping(*words)
    fresh = keeping(*words, "--no-cache")
    assert first.stderr == fresh.stderr == "" and second.stderr == told(of, of)
    assert first.stdout == second.stdout == fresh.stdout
    assert first.returncode == second.returncode == fresh.returncode in (0, 1)


def test_times_are_measured_not_remembered(keeping: Callable[..., Ran]) -> None:
    words = ("check", "--arch", "mips", "--scenario", "one")
    keeping(*words)
    done = keeping(*words, "--stats")
    assert done.stderr == "" and "compile 0.00 s" not in done.stdout


def test_what_is_kept_is_said_and_taken_away(keeping: Callable[..., Ran], tmp_path: Path) -> None:
    keeping("check", "--arch", "mips", "--scenario", "one")
    mine = tmp_path / "cache/loadput/results"
    files = [f for f in mine.rglob("*") if f.is_file()]
    assert len(files) == 2 and all(f.parent.stat().st_mode & 0o077 == 0 for f in files)
    said = keeping("cache").stdout
    assert f"folder        {tmp_path}/cache/loadput\n" in said
    assert "results                 2 files" in said
    assert keeping("cache", "--clear").stdout == said + "\ntaken away\n"
    assert keeping("cache").stdout.endswith("\n\nnothing is kept\n")
    assert not [f for f in mine.rglob("*") if f.is_file()]


def test_a_cache_that_is_nowhere_is_said(keeping: Callable[..., Ran]) -> None:
    done = keeping("cache", XDG_CACHE_HOME="here")
    assert done.stdout == "nothing is kept: XDG_CACHE_HOME is no absolute path\n"

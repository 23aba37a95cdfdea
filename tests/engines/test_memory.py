"""Memory: what a state takes, and that a bound holds for the whole process."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

LOADPUT = str(Path(sys.executable).with_name("loadput"))


def peak_mib(*words: str, cwd: Path) -> tuple[int, str, int]:
    """The exit code, the output, and the most memory that the process had, MiB."""
    code = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
        "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)\n"
        "print(done.stdout + done.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, LOADPUT, *words],
        cwd=cwd, capture_output=True, text=True, check=True,
    )  # fmt: skip
    head, _, out = done.stdout.partition("\n")
    rc, peak = map(int, head.split())
    return rc, out, peak


@pytest.mark.parametrize("threads", ["1", "2"])
def test_memory_stays_in_its_bound(tmp_path: Path, threads: str) -> None:
    """--max-memory is for the search; the program, Python and LLVM take what they always take.

    LLVM takes 26 to 37 MiB more, whatever the bound, once a search lasts: it compiles once more.
    """
    words = ("check", "--arch", "svm", "--threads", threads, "--stats")
    _, _, idle = peak_mib(*words, "--max-states", "1000", cwd=tmp_path)
    rc, out, peak = peak_mib(*words, "--max-memory", "200", cwd=tmp_path)
    assert rc == 4 and "NOT DECIDED" in out and "memory" in out
    assert peak <= idle + 200 + 48, (idle, peak)


def test_bytes_of_a_state(tmp_path: Path) -> None:
    """8 bytes a word of packed state, and at most 20 for its parent and its place in the table."""
    _, out, _ = peak_mib("check", "--arch", "riscv", "--stats", cwd=tmp_path)
    found = re.search(r"state +(\d+) bits, (\d+) bytes a state", out)
    assert found
    assert int(found[2]) <= 8 * -(-int(found[1]) // 64) + 20

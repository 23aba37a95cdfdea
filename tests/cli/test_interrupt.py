"""Ctrl-C: what is decided by then is said, and the exit code is 130."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("loadput")
# A search that lasts: the interpreter takes an hour for it.
LONG = ("--arch", "svm", "--scenario", "default", "--engine", "interp", "--threads", "1")


def interrupt(
    folder: Path, *words: object, when: str = r"states, depth \d", times: int = 1
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a verb that gets SIGINT when it tells
    ``when`` on its progress line.
    """
    ours, theirs = pty.openpty()
    with (folder / "out").open("wb") as out:
        run = subprocess.Popen(
            [COMMAND, *map(str, words)], cwd=folder, stdout=out, stderr=theirs, close_fds=True
        )
    os.close(theirs)
    told = ""
    while True:
        try:
            told += os.read(ours, 65536).decode("utf-8", "replace")
        except OSError:
            break
        if times and re.search(when, told):
            run.send_signal(signal.SIGINT)
            times, when = times - 1, "interrupted: what is decided follows"
    os.close(ours)
    return run.wait(), (folder / "out").read_text(), told


@pytest.mark.parametrize("engine", ["interp", "native"])
def test_a_search_that_is_interrupted_says_what_it_has(tmp_path: Path, engine: str) -> None:
    words = ("--arch", "svm", "--scenario", "bench10m", "--engine", engine, "--json", "r.json")
    code, out, told = interrupt(tmp_path, "check", *words)
    assert code == 130 and "Traceback" not in told
    assert "stopped by interrupt" in " ".join(out.split())
    assert "verdict       NOT DECIDED" in out and "\nholds " not in out
    (p,) = json.loads((tmp_path / "r.json").read_text())["programs"]
    assert (p["verdict"], p["stopped_by"]) == ("not decided", "interrupt")


def test_a_violation_that_was_found_before_is_told(tmp_path: Path) -> None:
    words = ("--twin", "preempted_always", "--scenario", "bench10m")
    code, out, _ = interrupt(tmp_path, "check", *words, when=r"depth [2-9]\d,")
    assert code == 130 and "stopped by interrupt" in " ".join(out.split())
    assert "verdict       VIOLATED" in out and "!! " in out


def test_architectures_before_it_are_told_and_those_after_it_are_not_begun(tmp_path: Path) -> None:
    # Of millions of states on svm: there is time for a line of progress.
    words = ("--arch", "mips,svm,vmx", "--scenario", "default", "--threads", "1")
    code, out, _ = interrupt(tmp_path, "check", *words, when="on svm: ")
    assert code == 130
    assert "on mips\n" in out and "on vmx\n" not in out
    assert "verdict       holds" in out


def test_compare_and_museum_tell_what_was_decided(tmp_path: Path) -> None:
    code, out, _ = interrupt(tmp_path, "compare", "--arch", "svm", "--design", "D,B", *LONG[2:])
    assert code == 130 and "not decided" in out and "not begun" in out
    code, out, _ = interrupt(
        tmp_path, "museum", "avic-set-running-stale-cpu", "sched-delayed-preempted",
        "--engine", "interp", "--threads", "1",
    )  # fmt: skip
    assert code == 130 and "not begun: interrupted" in " ".join(out.split())


def test_a_patch_that_is_judged_can_be_interrupted(tmp_path: Path) -> None:
    mail = Path(__file__).parents[2] / "examples/mail.txt"
    code, out, told = interrupt(tmp_path, "check", mail, *LONG)
    assert code == 130 and "Traceback" not in told and "new           no violation" not in out


def test_the_second_one_ends_at_once(tmp_path: Path) -> None:
    code, _, told = interrupt(tmp_path, "check", *LONG, times=2)
    assert code == 130 and "Traceback" not in told

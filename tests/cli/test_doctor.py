"""``loadput doctor``, ``python -m loadput`` and the completion of a shell."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Ran = subprocess.CompletedProcess[str]


def test_the_doctor_says_what_is_there(loadput: Callable[..., Ran]) -> None:
    ran = loadput("doctor")
    assert ran.returncode == 0, ran.stderr
    heads = [line.split()[0] for line in ran.stdout.splitlines() if line]
    assert {"loadput", "python", "click", "numpy", "cores", "memory", "huge"} <= set(heads)
    assert {"record", "export", "lab", "explore", "tracefs"} <= set(heads)


def test_what_is_missing_says_how_to_get_it(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "loadput", "doctor"],
        cwd=tmp_path,
        env={**os.environ, "PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = {line[:14].strip(): line[14:] for line in ran.stdout.splitlines()}
    assert lines["check --repo"] == "lacks git: apt-get install git"
    assert lines["export"].startswith("lacks spin, gcc, rumur: apt-get install spin")


def test_python_can_run_it_as_a_module(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "loadput", "explain", "LP0530"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout[:6]) == (0, "LP0530")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("loadput ex", {"explore", "export", "explain"}),
        ("loadput check --arch s", {"svm", "s390"}),
        ("loadput check --design skip-i", {"skip-i", "skip-ii", "skip-iii", "skip-iv"}),
        ("loadput check --scenario post", {"posted", "posted-offline", "posted-smp"}),
        ("loadput check --release v7", {"v7.3"}),
        ("loadput check --property HOST-A", {"HOST-AREA-FRESH"}),
    ],
)
def test_a_shell_completes_verbs_and_names(words: str, wanted: set[str], tmp_path: Path) -> None:
    env = {**os.environ, "_LOADPUT_COMPLETE": "bash_complete", "COMP_WORDS": words}
    env["COMP_CWORD"] = str(len(words.split()) - 1)
    ran = subprocess.run(
        [Path(sys.executable).with_name("loadput")],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert wanted <= {line.partition(",")[2] for line in ran.stdout.splitlines()}

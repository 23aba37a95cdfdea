"""The real command, as a user runs it."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from loadput.base.errors import ScenarioError
from loadput.link.overlay import known_archs
from loadput.link.program import Choice, link
from loadput.link.scenario import load_scenario

# Machines are a million objects that live as long as a test: counting them finds no garbage.
gc.set_threshold(100_000, 50, 100)

# No test reads or writes the cache of whoever runs it, and none is answered from a kept result
# unless it asks for that.
OURS = "loadput-tests-"
if OURS not in os.environ.get("XDG_CACHE_HOME", ""):  # a worker has that of who started it
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix=OURS)
    atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)
os.environ["LOADPUT_NO_CACHE"] = "1"
# Else each command that a test runs would compile all of loadput anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

Ran = subprocess.CompletedProcess[str]
ROOT = Path(__file__).parents[1]


@pytest.fixture
def loadput(tmp_path: Path) -> Callable[..., Ran]:
    """``loadput ARGS`` in an empty folder; what it printed and its exit code."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("LOADPUT_")}
    env |= {"COLUMNS": "80", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    env |= {"LOADPUT_NO_CACHE": "1"}

    def run(*args: object) -> Ran:
        return subprocess.run(
            [Path(sys.executable).with_name("loadput"), *map(str, args)],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    return run


@pytest.fixture
def arch_of() -> Callable[[str], str]:
    """The first architecture that has every constant and actor of a shipped scenario."""

    def find(scenario: str) -> str:
        for arch in ("svm", *known_archs()):
            try:
                link(Choice(arch), load_scenario(scenario))
            except ScenarioError:
                continue
            return arch
        raise AssertionError(f"no architecture has what scenario {scenario} sets")

    return find

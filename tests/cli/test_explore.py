"""``loadput explore`` and ``loadput replay --schedule``, as a user runs them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

Ran = subprocess.CompletedProcess[str]
ONE = ("--arch", "svm", "--design", "skip-iii", "--scenario", "one")


def test_a_file_is_written_and_its_schedule_can_be_replayed(
    loadput: Callable[..., Ran], tmp_path: Path
) -> None:
    words = (*ONE, "--property", "HOST-AREA-FRESH", "--threads", "1", "--max-states", "300000")
    ran = loadput("explore", *words, "--html", "page.html")
    assert ran.returncode == 0, ran.stderr
    assert "HOST-AREA-FRESH is violated after 39 steps" in ran.stderr
    text = (tmp_path / "page.html").read_text("utf-8")
    assert len(text.encode()) <= 2_000_000
    key = re.search(r'"key":"(\w{4})"', text)
    steps = re.search(r'"property":"HOST-AREA-FRESH","steps":\[([\d,]+)\]', text)
    assert key and steps
    schedule = f"{key[1]}.{steps[1].replace(',', '')}"
    again = loadput("replay", *ONE, "--schedule", schedule)
    assert again.stdout.startswith("v7.3 design skip-iii on svm: HOST-AREA-FRESH, 39 steps")
    assert "     !! HOST-AREA-FRESH" in again.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("explore", "--arch", "all", "--html", "x.html"), "LP0532"),
        (("explore", *ONE, "--html", "no/such/folder/x.html"), "LP0520"),
        (("explore", *ONE, "--beside", "nothing", "--html", "x.html"), "LP04"),
        (("explore", *ONE, "--tree", ".", "--html", "x.html"), "LP0235"),
        (("replay", *ONE, "--schedule", "nonsense"), "LP0530"),
        (("replay", *ONE, "--schedule", "abcd.000"), "LP0530"),
    ],
)
def test_what_makes_no_sense_is_refused(
    loadput: Callable[..., Ran], words: tuple[str, ...], code: str
) -> None:
    ran = loadput(*words)
    assert ran.returncode == 2
    assert code in ran.stderr and "Traceback" not in ran.stderr


def test_a_schedule_that_goes_no_further_says_where(loadput: Callable[..., Ran]) -> None:
    right = loadput("replay", *ONE, "--schedule", "abcd.0").stderr
    key = re.search(r"begins (\w{4})\.", right)
    assert key
    ran = loadput("replay", *ONE, "--schedule", f"{key[1]}.0Z0")
    assert ran.returncode == 2
    assert "step 2 of the schedule does not exist" in ran.stderr


def test_it_is_served_until_it_is_interrupted(tmp_path: Path) -> None:
    command = [Path(sys.executable).with_name("loadput"), "explore", *ONE, "--threads", "1"]
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as p:
        assert p.stdout is not None
        address = p.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{16}/", address)
        with urllib.request.urlopen(address, timeout=60) as r:
            assert r.read().startswith(b"<!doctype html>")
        p.send_signal(signal.SIGINT)
        p.wait(60)
        assert p.returncode == 0
        assert p.stderr is not None and "Traceback" not in p.stderr.read()

"""--max-time bounds all that a verb does: what is not decided by then is said, and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import loadput as lp
from loadput.base import clock
from loadput.base.errors import TimeUp
from loadput.run.explore import explore

ROOT = Path(__file__).parents[2]
MAIL = ROOT / "examples/mail.txt"
# Each would take a minute or more.
VERBS: dict[str, tuple[str | Path, ...]] = {
    "one program": ("check", "--engine", "interp"),
    "several": ("check", "--arch", "all"),
    "a patch": ("check", MAIL, "--scenario", "default", "--engine", "interp"),
    "designs": ("compare", "--engine", "interp"),
    "bugs": ("museum", "--engine", "interp"),
}
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("what", VERBS)
@pytest.mark.parametrize("seconds", ["0", "2"])
def test_what_takes_longer_is_not_decided(loadput: Run, what: str, seconds: str) -> None:
    done = loadput(*VERBS[what], "--max-time", seconds)
    assert done.returncode == 4, done.stderr
    said = done.stdout + done.stderr
    assert "not decided" in said.lower() or "time was up" in said
    assert "Traceback" not in said and "interrupted" not in said


def test_a_search_that_is_ended_by_the_time_of_all_says_so() -> None:
    machine = lp.build_machine(lp.link(lp.Choice("svm"), lp.load_scenario("one")))
    clock.end_in(0)
    try:
        assert explore(machine, engine="interp").stopped_by == "time"
    finally:
        clock.end_in(None)


def test_a_recording_and_a_tree_take_no_longer(loadput: Run, tmp_path: Path) -> None:
    (tmp_path / "virt/kvm").mkdir(parents=True)
    (tmp_path / "virt/kvm/kvm_main.c").write_text("int a;\n")
    (tmp_path / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\n")
    for words in (
        ("conform", ROOT / "examples/x86-6.1-ple.dat"),
        ("drift", "--tree", tmp_path),
        ("check", "--tree", tmp_path),
    ):
        done = loadput(*words, "--max-time", "0")
        assert (done.returncode, "time" in done.stderr) == (4, True), words


@pytest.fixture
def no_time() -> Iterator[None]:
    clock.end_in(0)
    yield
    clock.end_in(None)


@pytest.mark.parametrize("scenario", ["one", ""])
def test_no_phase_goes_on_when_the_time_is_up(no_time: None, scenario: str) -> None:
    """Reading, linking, the machine, its code: each looks before it begins."""
    with pytest.raises(TimeUp):
        lp.judge(MAIL, arch="svm", scenario=scenario)
    with pytest.raises(TimeUp):
        lp.link(lp.Choice("svm"), lp.load_scenario("one"))


def test_machine_code_that_takes_too_long_is_left_behind() -> None:
    import threading

    go_on = threading.Event()
    clock.end_in(0.05)
    try:
        with pytest.raises(TimeUp):
            clock.within(go_on.wait)
        assert clock.has_left_something()
    finally:
        clock.end_in(None)
        go_on.set()
    assert clock.within(lambda: 7) == 7

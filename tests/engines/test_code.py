"""Machine code that is kept: the same search, compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadput.base.kept import entries
from loadput.link.program import Choice, link
from loadput.link.scenario import load_scenario
from loadput.machine.model import Machine, build_machine
from loadput.run.contract import differences
from loadput.run.exploration import Limits
from loadput.run.explore import explore
from loadput.run.native import build


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """One, with a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return build_machine(link(Choice("mips"), load_scenario("one")))


def compiled(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each that is compiled from now on is compiled fast."""
    real, told = build._write_object, []

    def write(target: build._Target, step: str, loop: str) -> bytes:
        told.append(target.fast)
        return real(target, step, loop)

    monkeypatch.setattr(build, "_write_object", write)
    return told


def test_code_is_compiled_once(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    told = compiled(monkeypatch)
    first, again = (explore(machine, limits=Limits(threads=1)) for _ in range(2))
    assert told == [True] and differences(again, first) == []
    explore(machine, limits=Limits(threads=2))
    assert told == [True, True], "threads insert a state in another way"


def test_a_search_begins_with_the_best_code_there_is(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = compiled(monkeypatch)
    native = build.compile_machine(machine, shared=False)
    assert not native.improved
    native.improve()
    assert build.compile_machine(machine, shared=False).improved and told == [True, False]


def test_code_of_another_processor_or_of_another_text_is_not_taken(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = build._Target(fast=True)
    here = target.key("step", "loop")
    assert here not in (target.key("step", "loop "), build._Target(fast=False).key("step", "loop"))
    target.cpu += "x"
    assert target.key("step", "loop") != here


def test_damaged_code_is_compiled_again(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    first = explore(machine, limits=Limits(threads=1))
    (kept,) = entries(tmp_path / "loadput" / build.CODE)
    kept.path.write_bytes(kept.path.read_bytes()[:-1])
    told = compiled(monkeypatch)
    again = explore(machine, limits=Limits(threads=1))
    assert told == [True] and differences(again, first) == []
    assert capsys.readouterr().err == f"kept: {kept.path} is damaged: not used\n"

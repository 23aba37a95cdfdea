"""A patch's searches end by themselves; a base is asked no further than something hangs on it."""

from __future__ import annotations

import pytest

import loadput as lp
from loadput.base import clock
from loadput.check import bounds, judge, judging
from loadput.check.judge import NEW, OPEN, SAME

from .test_judge_mails import EARLY, RIGHT

WRONG = EARLY.replace("\tkvm_arch_vcpu_load(vcpu, cpu);\n", "")


def judged(text: str, scenario: str, arch: str = "mips") -> lp.Judged:
    return lp.judge(text, arch=arch, scenario=scenario, base="v6.12")


def test_a_space_without_an_end_is_not_decided_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "STATES", 100)
    j = judged(RIGHT, "one")
    assert (j.verdict, j.exit_code) == (OPEN, 4)
    said = " ".join(j.text().split())
    assert "the search of scenario one ended after 1" in said
    assert "at its bound of states (--max-states)" in said


def test_nor_does_the_rest_take_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "SECONDS", 0.0)
    j = judged(RIGHT, "one")
    assert (j.verdict, j.exit_code) == (OPEN, 4)
    assert "the time was up" in j.text()


def test_a_command_that_has_an_end_has_no_other() -> None:
    clock.end_in(1000)
    try:
        with clock.at_most(0):
            assert not clock.is_up()
    finally:
        clock.end_in(None)
    with clock.at_most(0):
        assert clock.is_up()
    assert clock.left() is None


def test_a_base_is_asked_as_far_as_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "SHALLOW", 1_000)
    for text, verdict, far in ((RIGHT, SAME, True), (WRONG, NEW, False)):
        j = judged(text, "default")
        (part,) = j.judging.judged
        (x,) = part.explored
        assert x.before is not None
        assert (j.verdict, x.before.stopped_by) == (verdict, "states" if far else "")
        assert ("as far as it is asked" in j.text()) is far

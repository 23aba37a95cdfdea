"""Every shipped scenario comes to what its file expects, on every architecture it is written for.

The large ones, over a million states each, are decided by ``make test-all``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import pytest

from loadput.base.errors import ScenarioError
from loadput.check.verdict import check
from loadput.link.overlay import known_archs
from loadput.link.program import Choice, link
from loadput.link.scenario import HOLDS, list_scenarios, load_scenario, make_scenario
from loadput.run.exploration import Limits

Ran = CompletedProcess[str]
LARGE = ("bench10m", "default", "standard")
SLOW = bool(os.environ.get("LOADPUT_SLOW"))
ALL = [(s, a) for s in list_scenarios() for a, _ in load_scenario(s).expect]
GOOD: dict[str, Any] = {"cpus": 1, "vms": [0], "task": [{"runs": "vcpu_thread", "vcpu": 0}]}


def lacks_something(scenario: str, arch: str) -> bool:
    try:
        link(Choice(arch), load_scenario(scenario))
    except ScenarioError:
        return True
    return False


@pytest.mark.parametrize("scenario", list_scenarios())
def test_a_shipped_scenario_expects_something_of_every_architecture_that_has_what_it_sets(
    scenario: str,
) -> None:
    expected = [a for a, _ in load_scenario(scenario).expect]
    assert expected == [a for a in known_archs() if not lacks_something(scenario, a)]


@pytest.mark.parametrize(("scenario", "arch"), ALL)
def test_the_verdict_is_the_expected_one(scenario: str, arch: str) -> None:
    if scenario in LARGE and not SLOW:
        pytest.skip("large: make test-all")
    s = load_scenario(scenario)
    expected = s.expected_on(arch)
    assert expected is not None
    limits = Limits(threads=1, max_states=expected.states or None)
    r = check(Choice(arch), s, limits=limits)
    assert (r.verdict, tuple(sorted(r.violated))) == (expected.verdict, expected.violates)
    assert r.is_expected and (expected.verdict == HOLDS or len(expected.why) > 30)


def test_the_large_ones_are_the_only_ones_left_out() -> None:
    """And none of them is expected to violate what a small one does not show."""
    assert set(LARGE) < set(list_scenarios())
    small = [load_scenario(n) for n in list_scenarios() if n not in LARGE]
    shown = {(a, p) for s in small for a, e in s.expect for p in e.violates}
    for s in map(load_scenario, LARGE):
        assert {(a, p) for a, e in s.expect for p in e.violates} <= shown, s.name


def test_a_report_says_that_a_violation_is_expected_and_why(loadput: Callable[..., Ran]) -> None:
    ran = loadput("check", "--arch", "vmx", "--scenario", "offline")
    assert ran.returncode == 1 and "expected      as it is: suspected" in ran.stdout


def test_a_report_of_another_program_says_nothing_of_it(loadput: Callable[..., Ran]) -> None:
    ran = loadput("check", "--twin", "ple_never", "--scenario", "one", "--property", "PLE-ONCE")
    assert ran.returncode == 1 and "expected" not in ran.stdout


def test_a_report_says_where_another_verdict_is_expected() -> None:
    from loadput.report.text import render_result

    raw = GOOD | {"expect": {"mips": {"violates": ["ALL-BLOCKED"], "why": "it is only a test"}}}
    text = render_result(check(Choice("mips"), make_scenario("mine", raw)))
    assert "expected      another one, by the scenario's file: violated: ALL-BLOCKED" in text


def test_of_all_those_that_lack_what_a_scenario_sets_are_left_out(
    loadput: Callable[..., Ran],
) -> None:
    ran = loadput("check", "--arch", "all", "--scenario", "gisa", "--property", "ALL-BLOCKED")
    assert ran.returncode == 0 and "on s390" in ran.stdout
    assert "left out      arm64, arm64-nv" in ran.stdout and "'gisa'" in ran.stdout
    alone = loadput("check", "--arch", "svm", "--scenario", "gisa")
    assert alone.returncode == 2 and "LP0503" in alone.stderr


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("holds", "expect = 'holds'"),
        ({"svmm": "holds"}, "unknown key 'svmm'"),
        ({"x86": "holds"}, "unknown key 'x86'"),
        ({"svm": "violated"}, "svm = 'violated'"),
        ({"svm": {"violates": ["ALL-BLOCKED"]}}, "svm ="),
        ({"svm": {"violates": [], "why": "for a good reason"}}, "svm ="),
        ({"svm": {"violates": ["A"], "why": "short"}}, "svm ="),
        ({"svm": {"states": 0, "why": "for a good reason"}}, "svm ="),
        ({"svm": {"states": True, "why": "for a good reason"}}, "svm ="),
        ({"svm": {"states": 9, "violates": ["A"], "why": "for a good reason"}}, "svm ="),
    ],
)
def test_an_expectation_that_says_nothing_is_refused(expect: Any, said: str) -> None:
    with pytest.raises(ScenarioError) as e:
        make_scenario("mine", GOOD | {"expect": expect})
    assert e.value.code == "LP0501" and said in e.value.what and e.value.expected

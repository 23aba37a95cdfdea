"""A scenario that contradicts itself is refused with what would do instead."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadput.base.errors import ScenarioError
from loadput.link.program import Choice, link
from loadput.link.scenario import list_scenarios, load_scenario, make_scenario

GOOD: dict[str, Any] = {
    "title": "a test",
    "cpus": 2,
    "vms": [0, 0],
    "task": [{"runs": "vcpu_thread", "vcpu": 0}, {"runs": "plain_thread", "cpus": [1]}],
}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"cpus": 0}, "cpus = 0"),
    ({"cpus": -1}, "cpus = -1"),
    ({"cpus": 99}, "cpus = 99"),
    ({"cpus": True}, "cpus = True"),
    ({"cpus": "two"}, "cpus = 'two'"),
    ({"cpuss": 2}, "unknown key 'cpuss'"),
    ({"vms": []}, "0 vCPUs"),
    ({"vms": [0] * 9}, "9 vCPUs"),
    ({"vms": ["a"]}, "vms = ['a']"),
    ({"vms": [7]}, "vms = [7]"),
    ({"task": []}, "0 tasks"),
    ({"task": [{"vcpu": 0}]}, "task 0"),
    ({"task": [{"runs": "vcpu_thread", "vcpu": 2}]}, "vcpu = 2"),
    ({"task": [{"runs": "vcpu_thread", "vcpu": 0, "cpus": []}]}, "cpus = []"),
    ({"task": [{"runs": "vcpu_thread", "vcpu": 0, "cpus": [2]}]}, "cpus = [2]"),
    ({"task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["fly"]}]}, "does = ['fly']"),
    ({"task": [{"runs": "vcpu_thread", "vcpu": 0, "when": 1}]}, "task 0"),
    ({"set": {"x": "y"}}, "set = "),
    ({"set": 3}, "set = 3"),
]


@pytest.mark.parametrize(("change", "said"), BAD, ids=[b[1] for b in BAD])
def test_a_contradiction_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError) as e:
        make_scenario("mine", copy.deepcopy(GOOD) | change)
    assert e.value.code == "LP0501" and said in e.value.what and e.value.expected
    assert e.value.exit_code == 2


def test_the_good_one_is_good() -> None:
    s = make_scenario("mine", copy.deepcopy(GOOD))
    assert (s.cpus, s.vms, s.tasks[1].cpus) == (2, (0, 0), (1,))


def test_an_unknown_actor_is_told_with_those_there_are() -> None:
    s = make_scenario("mine", GOOD | {"task": [{"runs": "vcpu_tread", "vcpu": 0}]})
    with pytest.raises(ScenarioError, match="no actor 'vcpu_tread'") as e:
        link(Choice(), s)
    assert e.value.code == "LP0504" and "vcpu_thread" in (e.value.available or "")


def test_an_unknown_constant_is_told_with_the_nearest() -> None:
    s = make_scenario("mine", GOOD | {"set": {"NR_SPOONS": 1}})
    with pytest.raises(ScenarioError, match="unknown constant 'NR_SPOONS'") as e:
        link(Choice(), s)
    assert e.value.code == "LP0503"


def test_an_unknown_scenario_is_told_with_the_nearest() -> None:
    with pytest.raises(ScenarioError, match="nearest: default") as e:
        load_scenario("defualt")
    assert e.value.code == "LP0502" and e.value.available == ", ".join(list_scenarios())


@pytest.mark.parametrize("data", [b"", b"cpus = ", b"\xff\xfe", b"\0" * 100, b"[[task]]\n" * 3])
def test_a_file_that_is_no_scenario_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "s.toml").write_bytes(data)
    with pytest.raises(ScenarioError) as e:
        load_scenario(str(tmp_path / "s.toml"))
    assert e.value.code == "LP0501"


@pytest.mark.parametrize("name", list_scenarios())
def test_every_shipped_scenario_links(name: str, arch_of: Callable[[str], str]) -> None:
    s = load_scenario(name)
    assert s.title and link(Choice(arch_of(name)), s).functions

"""The rules of an export do what the interpreter does, state by state: no tool needed."""

from __future__ import annotations

import pytest
from checkers import Evaluator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import make_machine, programs

from loadput.base.errors import LoadputError
from loadput.export.rules import Rules
from loadput.link.program import Choice, link
from loadput.link.scenario import load_scenario
from loadput.machine.model import Machine, build_machine
from loadput.run.interp import Interpreter


def compare(m: Machine, limit: int) -> None:
    """Every state found, up to ``limit``, has the same steps both ways."""
    ours, theirs = Evaluator(Rules(m)), Interpreter(m)
    seen = {m.initial}
    todo = [m.initial]
    while todo:
        s = todo.pop(0)
        want = sorted(x.state for x in theirs.steps(s) if x.state is not None)
        assert sorted(ours.steps(s)) == want
        for new in want:
            if new not in seen and len(seen) < limit:
                seen.add(new)
                todo.append(new)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(), st.integers(1, 2), st.booleans())
def test_rules_agree_on_random_programs(text: str, cpus: int, fusing: bool) -> None:
    try:
        m = make_machine(text, cpus=cpus, tasks=("actor", "actor"), fusing=fusing)
        Rules(m)
    except LoadputError:
        return
    compare(m, 60)


@pytest.mark.parametrize("fusing", [True, False])
@pytest.mark.parametrize("arch", ["riscv", "arm64", "svm"])
def test_rules_agree_on_shipped_scenarios(arch: str, fusing: bool) -> None:
    m = build_machine(link(Choice(arch=arch), load_scenario("default")), fusing=fusing)
    compare(m, 200)


WAYS = """
may_preempt = 0
irqs_off = 0
@task
def actor():
    while True:
        with atomic:
            if flag:
                a = (a + 1) & 3
            if a == 2:
                flag = not flag
            if a == 3:
                flag = False
"""


def test_a_step_with_too_many_ways_is_refused_at_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Rules(make_machine(WAYS)).rules
    monkeypatch.setattr("loadput.export.rules.MOST", 3)
    with pytest.raises(LoadputError) as e:
        Rules(make_machine(WAYS))
    assert e.value.code == "LP0804" and e.value.span is not None
    assert "more than 3 decisions" in e.value.what

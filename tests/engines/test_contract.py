"""The native engine against the interpreter: random programs and shipped scenarios."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from programs import make_machine, programs

from loadput.base.errors import LayoutError, LoadputError
from loadput.link.program import Choice, link
from loadput.link.scenario import load_scenario
from loadput.machine.model import Machine, build_machine
from loadput.run.contract import differences, run_engine_contract
from loadput.run.exploration import Limits
from loadput.run.explore import explore

ACTOR = """
may_preempt = 0
irqs_off = 1
@task
def actor():
    while True:
        a = choose(0, 3)
        if a == 3:
            x = row[choose(0, 3)]
            assume(x == 0)
        assume(current.back.f == 0)
@irq
@env
def device():
    b = choose(-2, 2)
"""
WAITER = """
may_preempt = 0
irqs_off = 1
@task
def actor():
    while True:
        with atomic:
            a = choose(0, 1)
            b = a
            WARN_ON(a == 1)
            assume(a != b)
            x = row[0]
            flag = x > 0
"""
"""A check that fails, then a wait that never ends: what comes behind it never runs."""


def shipped(scenario: str, *, fusing: bool = True) -> Machine:
    return build_machine(link(Choice(arch="svm"), load_scenario(scenario)), fusing=fusing)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # shrinking would compile for minutes
    suppress_health_check=list(HealthCheck),
)
@given(programs(), st.integers(1, 2), st.booleans(), st.integers(1, 2))
def test_native_agrees_on_random_programs(text: str, cpus: int, fusing: bool, threads: int) -> None:
    try:
        m = make_machine(text, cpus=cpus, tasks=("actor", "actor"), fusing=fusing)
    except LoadputError:
        return
    limits = Limits(max_states=1500, threads=threads)
    try:
        assert run_engine_contract("native", [("random", m, limits)]) == []
    except LayoutError as e:
        assert e.code == "LP0606"  # a shift by up to 63 places may need more than 63 bits


@pytest.mark.parametrize("fusing", [True, False])
@pytest.mark.parametrize("scenario", ["one", "default"])
def test_native_agrees_on_shipped_scenarios(scenario: str, fusing: bool) -> None:
    case = (scenario, shipped(scenario, fusing=fusing), Limits(max_states=12_000, threads=2))
    assert run_engine_contract("native", [case]) == []


def test_threads_find_the_same() -> None:
    m = shipped("default")
    one = explore(m, limits=Limits(max_states=150_000, threads=1))
    two = explore(m, limits=Limits(max_states=150_000, threads=2))
    assert differences(two, one) == []


def test_every_kind_of_violation_has_a_path() -> None:
    m = make_machine(ACTOR)
    x = explore(m, limits=Limits(threads=1))
    assert x.finished and set(x.first) == {"IN-RANGE", "NULL-DEREF"}
    assert differences(x, explore(m, engine="interp")) == []


def test_what_comes_behind_a_wait_has_not_run_where_a_check_before_it_failed() -> None:
    m = make_machine(WAITER)
    x = explore(m, limits=Limits(threads=1))
    assert list(x.first) == ["KERNEL-WARN"]
    ran = {getattr(m.graph.nodes[n].op, "place", None) for n in x.nodes}
    assert {"b", "row"} & {p.var for p in ran if p} == {"b"}
    assert differences(x, explore(m, engine="interp")) == []


def test_limits_end_unfinished() -> None:
    m = shipped("default")
    for limits, by in (
        (Limits(max_states=1000), "states"),
        (Limits(max_time_s=0.0), "time"),
        (Limits(max_memory_bytes=4 << 20), "memory"),
    ):
        x = explore(m, limits=limits)
        assert not x.finished and x.stopped_by == by


def test_paths_survive_a_limit_of_time() -> None:
    m = make_machine(ACTOR, cpus=2, tasks=("actor", "actor"))
    x = explore(m, limits=Limits(max_time_s=0.0, threads=2))
    assert not x.finished
    for path in x.first.values():
        assert path


def test_the_code_that_is_made_later_finds_the_same() -> None:
    from loadput.run.native.build import compile_machine
    from loadput.run.native.search import Run

    m = shipped("default")
    native = compile_machine(m, shared=False)
    found = []
    for _ in range(2):
        run = Run(native, 1, Limits(max_states=50_000), None)
        run.search()
        found.append(run.exploration())
        run.close()
        native.improve()
    assert differences(found[0], found[1]) == []


def test_stop_at_first_ends_at_the_depth_of_the_violation() -> None:
    m = make_machine(ACTOR)
    for engine in ("native", "interp"):
        x = explore(m, engine=engine, limits=Limits(stop_at_first=True))
        assert x.stopped_by == "first" and x.first


def test_progress_is_told() -> None:
    told: list[tuple[int, int, int, float]] = []
    m = shipped("default")
    explore(m, limits=Limits(max_states=2_000_000), progress=lambda *row: told.append(row))
    assert told == sorted(told)


def test_pack_and_unpack_are_inverse() -> None:
    from loadput.run.interp import Interpreter
    from loadput.run.native.layout import make_layout
    from loadput.run.native.shape import make_shape

    m = shipped("one")
    layout = make_layout(m, make_shape(m))
    it, todo, seen = Interpreter(m), [m.initial], {m.initial}
    while todo:
        s = todo.pop()
        assert layout.unpack(layout.pack(s)) == s
        for step in it.steps(s):
            if step.state is not None and step.state not in seen:
                seen.add(step.state)
                todo.append(step.state)
    assert len({tuple(layout.pack(s)) for s in seen}) == len(seen)

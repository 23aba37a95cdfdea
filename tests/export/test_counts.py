"""The exported models have as many states in SPIN and rumur as in loadput."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from checkers import needs, run_rumur, run_spin
from programs import BUFFERED, make_machine

from loadput.export import export_murphi, export_promela
from loadput.link.program import Choice, link
from loadput.link.scenario import load_scenario
from loadput.machine.model import Machine, build_machine
from loadput.run.explore import explore

COUNTER = """
may_preempt = 1
irqs_off = 0
@task
def actor():
    while True:
        x = a
        a = (x + 1) & 3
        this_cpu_write(slot, x & 1)
@irq
def device():
    if flag:
        flag = False
    else:
        assume(a > 1)
        flag = True
"""

TOKENS = """
may_preempt = 0
irqs_off = 0
@task
def actor():
    while True:
        fresh(this_cpu(reg), current)
        half = current.mine
        if half == this_cpu(reg) or b < 0:
            current.f = choose(0, 2)
        row[current.f] = 1
        b = choose(-2, 2)
@task
def other():
    while True:
        current.back = pick()
        current.back.f = row[current.f]
@irq
def device():
    row[choose(0, 2)] = 0
"""

FAULTS = """
may_preempt = 1
irqs_off = 0
@task
def actor():
    while True:
        a = choose(0, 3)
        x = row[a]
        if a == 2:
            current.back = current
        y = current.back.f
        if x + y > 3:
            a = 0
        current.f = x + y
        if a == 1:
            current.back = NULL
@irq
def device():
    with atomic:
        assume(not flag)
        b = -(a // 2)
        flag = b < 0
"""

COMPARES = """
may_preempt = 0
irqs_off = 0
@task
def actor():
    while True:
        a = choose(0, 3)
        b = choose(-2, 2)
        flag = (a == 1) != (b == 1)
        if (a & 1) == (b == 0) or (a == 2) == flag:
            current.f = 1
        if ((a ^ 1) < 2) == (b < 0):
            current.f = 2
"""

TINY = {
    "compares": (COMPARES, 1, ("actor",)),
    "counter": (COUNTER, 2, ("actor",)),
    "tokens": (TOKENS, 1, ("actor", "other")),
    "faults": (FAULTS, 1, ("actor",)),
}
FILTER = Path(__file__).resolve().parents[2] / "bench/filter"
SHIPPED = ("riscv", "arm64", "svm")


def tiny(name: str, *, fusing: bool) -> Machine:
    text, cpus, tasks = TINY[name]
    return make_machine(text, cpus=cpus, tasks=tasks, fusing=fusing)


def shipped(arch: str, scenario: str, *, twin: str = "") -> Machine:
    return build_machine(
        link(Choice(arch=arch, release="v6.12", twin=twin), load_scenario(scenario))
    )


def expected(m: Machine) -> tuple[int, int]:
    """States and steps that lead to a state, in loadput."""
    x = explore(m, engine="interp")
    assert x.finished
    return x.states, x.transitions


@needs("spin", "cc")
@pytest.mark.parametrize("step", ["d_step", "atomic"])
@pytest.mark.parametrize("name", TINY)
def test_spin_counts_the_states_of_unfused_programs(name: str, step: str, tmp_path: Path) -> None:
    m = tiny(name, fusing=False)
    states, transitions, _ = run_spin(export_promela(m), tmp_path, step=step)
    want = expected(m)
    assert states == want[0]
    # A step that faults is counted by loadput; there it does not exist.
    assert transitions == want[1] or (name == "faults" and transitions < want[1])


@needs("rumur", "cc")
@pytest.mark.parametrize("name", TINY)
def test_rumur_counts_the_states_of_unfused_programs(name: str, tmp_path: Path) -> None:
    m = tiny(name, fusing=False)
    states, transitions = run_rumur(export_murphi(m), tmp_path)
    want = expected(m)
    assert states == want[0]
    assert transitions == want[1] or (name == "faults" and transitions < want[1])


@needs("spin", "cc")
@pytest.mark.parametrize("arch", SHIPPED)
def test_spin_counts_the_states_of_fused_programs(arch: str, tmp_path: Path) -> None:
    m = shipped(arch, "one")
    assert run_spin(export_promela(m), tmp_path)[:2] == expected(m)


@needs("rumur", "cc")
@pytest.mark.parametrize("arch", SHIPPED)
def test_rumur_counts_the_states_of_fused_programs(arch: str, tmp_path: Path) -> None:
    m = shipped(arch, "one")
    assert run_rumur(export_murphi(m), tmp_path) == expected(m)


@needs("spin", "rumur", "cc")
@pytest.mark.parametrize("memory", ["tso", "weak"])
@pytest.mark.parametrize("fusing", [True, False])
def test_a_program_with_store_buffers_has_as_many_states_everywhere(
    fusing: bool, memory: str, tmp_path: Path
) -> None:
    m = make_machine(BUFFERED, cpus=2, tasks=("one", "two"), fusing=fusing, memory=memory)
    assert m.buffers is not None and set(m.buffers.lines) == {"a", "b"}
    x = explore(m)  # that the engines agree: tests/engines
    assert run_spin(export_promela(m), tmp_path)[:2] == (x.states, x.transitions)
    assert run_rumur(export_murphi(m), tmp_path) == (x.states, x.transitions)


@needs("spin", "cc")
def test_spin_finds_what_a_twin_breaks(tmp_path: Path) -> None:
    m = shipped("riscv", "one", twin="riscv_put_keeps_cpu")
    x = explore(m, engine="interp")
    states, _, bad = run_spin(export_promela(m, checks=True), tmp_path)
    assert states == x.states and bad == set(x.first)


@needs("spin", "cc")
@pytest.mark.parametrize("name", TINY)
def test_spin_finds_places_that_are_not_there_and_values_out_of_bounds(
    name: str, tmp_path: Path
) -> None:
    m = tiny(name, fusing=False)
    first = explore(m, engine="interp").first
    assert set(first) == ({"NULL-DEREF", "IN-RANGE"} if name == "faults" else set())
    assert run_spin(export_promela(m, checks=True), tmp_path)[2] == set(first)


def same_everywhere(m: Machine, folder: Path) -> int:
    """States, after SPIN and rumur counted as many, and as many transitions."""
    x = explore(m)
    want = x.states, x.transitions
    assert x.finished
    assert run_spin(export_promela(m), folder, level="-O2", table=27)[:2] == want
    assert run_rumur(export_murphi(m), folder, level="-O2") == want
    return x.states


@needs("spin", "rumur", "cc")
@pytest.mark.skipif("LOADPUT_SLOW" not in os.environ, reason="minutes: set LOADPUT_SLOW=1")
def test_the_filter_lock_has_twelve_million_states_everywhere(tmp_path: Path) -> None:
    scenario = load_scenario(str(FILTER / "filter.toml"))
    m = build_machine(link(Choice("riscv", "filter", search=(FILTER,)), scenario))
    assert same_everywhere(m, tmp_path) == 12_512_703


@needs("spin", "rumur", "cc")
@pytest.mark.skipif("LOADPUT_SLOW" not in os.environ, reason="minutes: set LOADPUT_SLOW=1")
def test_ten_million_states_are_ten_million_everywhere(tmp_path: Path) -> None:
    assert same_everywhere(shipped("svm", "bench10m"), tmp_path) == 16_248_550

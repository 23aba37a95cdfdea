"""A vCPU with two threads: its mutex lets one in at a time, and the other sleeps meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadput.check.verdict import check
from loadput.link.overlay import known_archs
from loadput.link.program import Choice, link
from loadput.link.scenario import Scenario, load_scenario
from loadput.machine.model import build_machine
from loadput.run.reduce import NOTHING

OVERLAY = '"""Ours."""\nOVERLAY = Overlay(name="two_steps", parent="D", arch="mips")\n'
TWO_STEPS = '''
# [Modified in twin:two_steps]
def lock_vcpu(vcpu: ptr[kvm_vcpu]):
    """Asks, and then takes."""
    await_until(not vcpu.mutex)
    vcpu.mutex = True
'''


UNLISTED = '''
# [Modified in twin:two_steps]
def lock_vcpu(vcpu: ptr[kvm_vcpu]):
    """Sleeps where the owner does not look."""
    set_current_state(TASK_INTERRUPTIBLE)
    while not trylock_vcpu(vcpu):
        schedule()
        set_current_state(TASK_INTERRUPTIBLE)
    __set_current_state(TASK_RUNNING)
'''


def broken(folder: Path, text: str) -> Choice:
    """With ``text`` laid over mips."""
    at = folder / "twin" / "two_steps"
    at.mkdir(parents=True)
    (at / "overlay.py").write_text(OVERLAY)
    (at / "mutex.py").write_text(text)
    return Choice("mips", twin="two_steps", search=(folder,))


def halting(scenario: Scenario) -> Scenario:
    """Its guest halts and is interrupted, so that the thread in KVM_RUN sleeps with the mutex."""
    run, ioctl = scenario.tasks
    return replace(scenario, tasks=(replace(run, does=("run", "halt", "irq")), ioctl))


def holding(arch: str) -> Choice:
    """The newest release that holds on two CPUs: docs/findings/riscv-csr-skip.md."""
    return Choice(arch, release="v6.12") if arch == "riscv" else Choice(arch)


@pytest.mark.parametrize("arch", known_archs())
def test_everything_holds(arch: str) -> None:
    assert check(holding(arch), load_scenario("threads")).verdict == "holds"


@pytest.mark.parametrize("arch", ["riscv", "mips", "powerpc"])
def test_everything_holds_where_the_owner_sleeps(arch: str) -> None:
    assert check(holding(arch), halting(load_scenario("threads"))).verdict == "holds"


@pytest.mark.parametrize("arch", ["riscv", "powerpc"])
def test_nothing_of_it_rests_on_a_reduction(arch: str) -> None:
    r = check(holding(arch), load_scenario("threads"), reduce=NOTHING, fusing=False)
    assert r.verdict == "holds"


@pytest.mark.parametrize("release", ["v6.1", "v6.1.192"])
def test_older_releases_take_it_too(release: str) -> None:
    r = check(Choice("riscv", release=release), load_scenario("threads"))
    assert set(r.violated) <= {"PREEMPTED-IFF-RUN"}


def test_one_thread_costs_nothing() -> None:
    """Nothing of waiting is left in the machine of a vCPU that has one."""
    m = build_machine(link(Choice("riscv"), load_scenario("one")))
    assert not {"task_struct.waits_for", "kvm_vcpu.mutex_owner"} & set(m.var_at)


def test_what_a_vcpu_does_is_what_any_of_its_threads_says() -> None:
    s = halting(load_scenario("threads"))
    swapped = replace(s, tasks=s.tasks[::-1])
    assert check(Choice("powerpc"), s).states == check(Choice("powerpc"), swapped).states


def test_a_mutex_that_is_asked_and_then_taken_is_seen(tmp_path: Path) -> None:
    r = check(broken(tmp_path, TWO_STEPS), load_scenario("threads"))
    assert {"AT-MOST-ONE-CPU", "PUT-BEFORE-LOAD", "WTR-SCOPE"} <= set(r.violated)


def test_who_sleeps_where_no_waker_looks_is_seen(tmp_path: Path) -> None:
    r = check(broken(tmp_path, UNLISTED), halting(load_scenario("threads")))
    assert r.violated == ["NO-LOST-WAKEUP"]

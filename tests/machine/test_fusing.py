"""Fusing steps saves states and changes no verdict: the same programs with and without it."""

from __future__ import annotations

import pytest

from loadput.check.verdict import check
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario, make_scenario

ARCHS = ("svm", "vmx", "arm64", "arm64-nvhe", "riscv", "loongarch", "mips", "powerpc", "s390")
TWINS = (
    ("svm", "no_vmsave"),
    ("svm", "sout_set_after_put"),
    ("svm", "block_without_check"),
    ("vmx", "kgs_kept"),
    ("arm64", "arm64_reset_preemptible"),
    ("riscv", "riscv_put_keeps_guest_fp"),
)
PROGRAMS = [*((a, "") for a in ARCHS), *TWINS]


def test_preemption_comes_in_the_middle_of_a_read_modify_write() -> None:
    choice, scenario = (
        Choice("arm64-nvhe", release="v6.12", twin="arm64-flags-rmw"),
        load_scenario("spe"),
    )
    found = [check(choice, scenario, fusing=f).violated for f in (True, False)]
    assert found == [["FLAGS-OF-THIS-CPU", "SPE-STOPPED-IN-GUEST"]] * 2


def test_preemption_comes_between_two_reads_of_what_the_load_writes() -> None:
    choice, scenario = (
        Choice("svm", release="v6.12", twin="avic-set-running-stale-cpu"),
        load_scenario("avic"),
    )
    fused, plain = (check(choice, scenario, fusing=f).violated for f in (True, False))
    assert fused == plain


def test_an_interrupt_that_waits_for_what_it_came_between_waits_for_ever() -> None:
    """Its first operation says when it comes; that it cannot go on keeps it from nothing."""
    raw = {
        "cpus": 1,
        "vms": [0],
        "task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["run", "halt", "irq"]}],
        "set": {"enable_apicv": 1, "vtd_posting": 1, "preempt_model": 1},
    }
    choice, scenario = (
        Choice("vmx", twin="pi_lock_irqs_on", release="v6.12"),
        make_scenario("posts", raw),
    )
    fused, plain = (check(choice, scenario, fusing=f).violated for f in (True, False))
    assert fused == plain == ["WAKEUP-LOCK-IRQS-OFF", "ALL-BLOCKED"]


@pytest.mark.parametrize(("arch", "twin"), PROGRAMS)
def test_no_verdict_depends_on_fusing(arch: str, twin: str) -> None:
    choice, scenario = Choice(arch, release="v6.12", twin=twin), load_scenario("one")
    fused = check(choice, scenario)
    plain = check(choice, scenario, fusing=False)
    assert {p.name: p.verdict for p in fused.properties} == {
        p.name: p.verdict for p in plain.properties
    }
    assert fused.states * 3 < plain.states


@pytest.mark.parametrize(
    ("arch", "scenario", "states"),
    [
        ("arm64", "vgic", 230_548),
        ("powerpc", "doorbell", 103_750),
        ("s390", "gisa", 63_807),
        ("svm", "reuse", 2_799_424),
        ("vmx", "posted", 242_081),
    ],
)
def test_what_sleeps_is_woken_without_fusing_too(arch: str, scenario: str, states: int) -> None:
    r = check(Choice(arch, release="v6.12"), load_scenario(scenario), fusing=False)
    assert (r.verdict, r.states) == ("holds", states)


FENCES = {
    "cpus": 2,
    "vms": [0],
    "task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["run"]}],
    "set": {"guest_traps": 0, "guest_resets": 0, "guest_fences": 1},
}


def test_what_a_task_leaves_on_a_cpu_where_it_was_preempted_is_not_fused() -> None:
    """Nobody else touches HGATP here, but the task's own notifiers do, on the CPU it goes on on."""
    choice, scenario = Choice("riscv", release="v7.2"), make_scenario("fences", FENCES)
    for fusing in (True, False):
        assert check(choice, scenario, fusing=fusing).violated == ["GUEST-STATE-COHERENT"]

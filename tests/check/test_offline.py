"""A VMCS that moves while its old CPU goes offline: what mainline is suspected of.

The scenario's name and the page docs/findings/vmcs-offline.md say what this rests on.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadput.check.museum import passes
from loadput.check.verdict import Result, check
from loadput.link.program import Choice, link
from loadput.link.scenario import Scenario, load_scenario
from loadput.machine.model import build_machine
from loadput.run.reduce import NOTHING

FOUND = {"KERNEL-WARN": 28, "LIST-DEL": 31, "VMCS-ONE-CPU": 37, "VMCS-LISTED": 39, "LIST-ADD": 48}
OVERLAY = '"""Ours."""\nOVERLAY = Overlay(name="irqs_off", parent="D", arch="vmx")\n'
# Where interrupts go off and on again in the walk: before it, in each pass, after it.
WALK = '''
# [Modified in twin:irqs_off]
def vmclear_local_loaded_vmcss():
    """With interrupts off."""
    cpu = raw_smp_processor_id()
    {}
    v = READ_ONCE(per_cpu(loaded_vmcss_on_cpu, cpu))
    while v:
        with atomic:
            WARN_ON(v.loaded_vmcss_on_cpu_link != cpu)
            n = v.loaded_vmcss_on_cpu_next
        {}
        __loaded_vmcs_clear(v)
        {}
        v = n
    {}
'''
OFF, ON = "local_irq_save(flags)", "local_irq_restore(flags)"
WHOLE = (OFF, "pass", "pass", ON)
EACH_CALL = ("pass", OFF, ON, "pass")
# On only between one call and the next.
BUT_BETWEEN = (OFF, "pass", f"{ON}\n        {OFF}", ON)


def two_vmcss() -> Scenario:
    """As offline, with a second vCPU thread, so that a CPU has two VMCSs to clear."""
    s = load_scenario("offline")
    vcpu, hotplug = s.tasks
    constants = (*s.constants, ("preempt_model", 1), ("timer_irqs", 0))
    tasks = (vcpu, replace(vcpu, vcpu=1), hotplug)
    return replace(s, vms=(0, 0), tasks=tasks, constants=constants)


def run(choice: Choice, scenario: Scenario | None = None, *, engine: str = "native") -> Result:
    return check(choice, scenario or load_scenario("offline"), engine=engine, reduce=NOTHING)


def walk(folder: Path, where: tuple[str, str, str, str]) -> Choice:
    """Mainline with interrupts off there."""
    overlay = folder / "twin" / "irqs_off"
    overlay.mkdir(parents=True)
    (overlay / "overlay.py").write_text(OVERLAY)
    (overlay / "hotplug.py").write_text(WALK.format(*where))
    return Choice("vmx", twin="irqs_off", search=(folder,))


@pytest.mark.parametrize("engine", ["native", "interp"])
def test_mainline_is_suspected(engine: str) -> None:
    r = run(Choice("vmx"), engine=engine)
    assert {p: r.find(p).depth for p in r.violated} == FOUND


def test_the_ipi_comes_between_the_test_and_what_follows_it() -> None:
    steps = run(Choice("vmx")).find("VMCS-ONE-CPU").counterexample
    order = ["T1 __loaded_vmcs_clear", "irq vmcs_clear", "T0 vmcs_load", "T1 vmcs_clear"]
    assert passes(steps, order)


@pytest.mark.parametrize("release", ["v6.1", "v6.1.192"])
def test_with_the_callback_in_the_atomic_section_it_holds(release: str) -> None:
    # v6.1 marks a vCPU preempted outside KVM_RUN too: 118964562969 came later.
    assert run(Choice("vmx", release=release)).violated == ["PREEMPTED-IFF-RUN"]


def test_with_interrupts_off_in_the_walk_it_holds(tmp_path: Path) -> None:
    fixed = walk(tmp_path, WHOLE)
    assert run(fixed).verdict == run(fixed, two_vmcss()).verdict == "holds"


def test_with_interrupts_off_in_each_call_the_walk_leaves_the_list(tmp_path: Path) -> None:
    assert run(walk(tmp_path, EACH_CALL)).violated == ["KERNEL-WARN"]


def test_the_node_that_the_walk_has_read_ahead_may_be_gone(tmp_path: Path) -> None:
    """Interrupts are on between two calls only: there the walk's next node is cleared."""
    choice = walk(tmp_path, BUT_BETWEEN)
    assert run(choice).verdict == "holds"
    assert run(choice, two_vmcss()).violated == ["KERNEL-WARN"]


@pytest.mark.parametrize("release", ["v6.1", "v6.12"])
def test_an_interrupt_that_is_posted_to_an_offline_cpu_is_lost(release: str) -> None:
    r = check(Choice("vmx", release=release), load_scenario("posted-offline"))
    assert r.violated == ["NO-LOST-WAKEUP"]
    assert passes(r.find("NO-LOST-WAKEUP").counterexample, ["irq take_cpu_down"])


@pytest.mark.parametrize("release", ["v6.12", "v7.3"])
def test_no_store_to_the_control_word_of_a_descriptor_is_late(release: str) -> None:
    """pi_set_on(), pi_clear_on() and pi_set_sn() are set_bit() and clear_bit(): locked on x86."""
    choice = Choice("vmx", release=release, memory="tso")
    late = build_machine(link(choice, load_scenario("posted-offline"))).buffers.lines
    assert late and not [place for place in late if place.startswith("pi_desc.")]

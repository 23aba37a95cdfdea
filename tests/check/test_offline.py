"""A VMCS that moves while its old CPU goes offline: what mainline is suspected of.

The scenario's name and the page docs/findings/vmcs-offline.md say what this rests on.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from loadput.check.museum import passes
from loadput.check.verdict import Result, check
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario
from loadput.run.reduce import NOTHING

FOUND = {"LIST-DEL": 29, "VMCS-ONE-CPU": 34, "VMCS-LISTED": 36, "LIST-ADD": 45}
OVERLAY = '"""Ours."""\nOVERLAY = Overlay(name="irqs_off", parent="D", arch="vmx")\n'
WALK = '''
# [Modified in twin:irqs_off]
def vmclear_local_loaded_vmcss():
    """With interrupts off."""
    cpu = raw_smp_processor_id()
    local_irq_save(flags)
    for v in each(loaded_vmcs):
        if READ_ONCE(v.loaded_vmcss_on_cpu_link) == cpu:
            __loaded_vmcs_clear(v)
    local_irq_restore(flags)
'''


def run(choice: Choice, *, engine: str = "native") -> Result:
    return check(choice, load_scenario("offline"), engine=engine, reduce=NOTHING)


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
    assert run(Choice("vmx", release=release)).verdict == "holds"


def test_with_interrupts_off_in_the_walk_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "twin" / "irqs_off"
    folder.mkdir(parents=True)
    (folder / "overlay.py").write_text(OVERLAY)
    (folder / "hotplug.py").write_text(WALK)
    assert run(Choice("vmx", twin="irqs_off", search=(tmp_path,))).verdict == "holds"

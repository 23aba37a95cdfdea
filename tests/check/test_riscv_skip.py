"""The restore of CSRs that riscv of v7.2 skips: where what it skips was needed.

docs/findings/riscv-csr-skip.md says what this rests on, and runs the changes that mend it.
"""

from __future__ import annotations

from functools import cache

import pytest

from loadput.check.verdict import Result, check
from loadput.link.program import Choice
from loadput.link.scenario import make_scenario

SKIP, GUEST, CONFIG, HGATP = (
    "CSR-SKIP-TRUE",
    "GUEST-STATE-COHERENT",
    "GUEST-CONFIG",
    "GUEST-HGATP",
)
FOUND = {
    # what changes a CSR: property and steps
    "guest_traps": {SKIP: 15, GUEST: 19},
    "guest_resets": {},
    "config_changes": {CONFIG: 20},
    "vmids_run_out": {HGATP: 30},
    "guest_fences": {HGATP: 21},
    "cpu_hotplug": {SKIP: 19, GUEST: 23, CONFIG: 23},
    "ioctl": {SKIP: 20, GUEST: 24},
}
ASLEEP = {"ioctl", "vmids_run_out", "cpu_hotplug"}
"""What needs no preemption in the kernel."""


@cache
def run(what: str, release: str = "v7.2", cpus: int = 2, preempt: int = 2) -> Result:
    does = ["run", *({"ioctl"} & {what})]
    constants = {"guest_traps": 0, "guest_resets": 0, "preempt_model": preempt}
    constants |= {} if what == "ioctl" else {what: 1}
    task = {"runs": "vcpu_thread", "vcpu": 0, "does": does}
    raw = {"cpus": cpus, "vms": [0], "task": [task], "set": constants}
    return check(Choice("riscv", release=release), make_scenario(what, raw))


@pytest.mark.parametrize("what", FOUND)
def test_a_vcpu_that_comes_back_finds_what_it_left(what: str) -> None:
    r = run(what)
    assert {n: r.find(n).depth for n in r.violated} == FOUND[what]


@pytest.mark.parametrize("what", [w for w in FOUND if w != "cpu_hotplug"])
def test_on_one_cpu_it_holds(what: str) -> None:
    assert run(what, cpus=1).verdict == "holds"


@pytest.mark.parametrize("what", FOUND)
def test_what_needs_preemption_in_the_kernel(what: str) -> None:
    found = bool(run(what, preempt=1).violated)
    assert found == (what in ASLEEP)


@pytest.mark.parametrize("what", ["guest_traps", "guest_resets", "cpu_hotplug", "ioctl"])
def test_a_restore_at_each_load_holds(what: str) -> None:
    assert run(what, "v6.12").verdict == "holds"

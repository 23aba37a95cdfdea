"""The restore of CSRs that riscv of v7.2 skips: where what it skips was needed.

docs/findings/riscv-csr-skip.md says what this rests on, and runs the changes that mend it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from loadput.check.verdict import Result, check
from loadput.link.program import Choice
from loadput.link.scenario import make_scenario

SKIP, GUEST = "CSR-SKIP-TRUE", "GUEST-STATE-COHERENT"
BOTH = {SKIP, GUEST, "MEMORY-FRESH"}
FOUND = {
    # what changes a CSR, and what is violated; the page has the steps
    "guest_traps": BOTH,
    "guest_resets": set(),
    "config_changes": {GUEST},
    "vmids_run_out": {GUEST},
    "guest_fences": {GUEST},
    "cpu_hotplug": BOTH,
    "ioctl": BOTH,
    "irq": {"NO-LOST-INTERRUPT"},
}
ASLEEP = {"ioctl", "vmids_run_out", "cpu_hotplug", "irq"}
"""What needs no preemption in the kernel."""


@cache
def run(what: str, release: str = "v7.2", cpus: int = 2, preempt: int = 2) -> Result:
    does = ["run", *({"ioctl", "irq"} & {what})]
    constants = {"guest_traps": 0, "guest_resets": 0, "preempt_model": preempt}
    constants |= {} if what in {"ioctl", "irq"} else {what: 1}
    task = {"runs": "vcpu_thread", "vcpu": 0, "does": does}
    raw = {"cpus": cpus, "vms": [0], "task": [task], "set": constants}
    return check(Choice("riscv", release=release), make_scenario(what, raw))


@pytest.mark.parametrize("what", FOUND)
def test_a_vcpu_that_comes_back_finds_what_it_left(what: str) -> None:
    assert set(run(what).violated) == FOUND[what]


@pytest.mark.parametrize("what", [w for w in FOUND if w != "cpu_hotplug"])
def test_on_one_cpu_it_holds(what: str) -> None:
    assert run(what, cpus=1).verdict == "holds"


@pytest.mark.parametrize("what", FOUND)
def test_what_needs_preemption_in_the_kernel(what: str) -> None:
    found = bool(run(what, preempt=1).violated)
    assert found == (what in ASLEEP)


@pytest.mark.parametrize("what", ["guest_traps", "guest_resets", "cpu_hotplug", "ioctl", "irq"])
def test_a_restore_at_each_load_holds(what: str) -> None:
    assert run(what, "v6.12").verdict == "holds"


@pytest.mark.parametrize("what", FOUND)
def test_v7_3_mends_the_cpu_that_goes_offline_and_no_more(what: str) -> None:
    wanted = set() if what == "cpu_hotplug" else FOUND[what]
    assert set(run(what, "v7.3").violated) == wanted


@pytest.mark.parametrize(("release", "found"), [("v6.12", False), ("v7.2", True), ("v7.3", False)])
def test_a_hart_that_loses_its_csrs_where_it_idles(release: str, found: bool) -> None:
    """On one CPU: the guest halts. Nothing tells KVM of v7.2; v7.3 has a CPU_PM notifier."""
    task = {"runs": "vcpu_thread", "vcpu": 0, "does": ["run", "halt", "irq"]}
    constants = {"guest_traps": 0, "guest_resets": 0, "deep_idle": 1}
    raw = {"cpus": 1, "vms": [0], "task": [task], "set": constants}
    r = check(Choice("riscv", release=release), make_scenario("idle", raw))
    assert (SKIP in r.violated and GUEST in r.violated) == found
    assert (r.verdict == "holds") == (not found)


LOAD = """
class kvm_vcpu_arch(struct):
    restored_on: cpu = -1
    csr_newer: bool

last_restored: per_cpu[ptr[kvm_vcpu]]

# [Modified in design:skips]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    if {test}:
        this_cpu_write(last_restored, vcpu)
        vcpu.arch.restored_on = cpu
        vcpu.arch.csr_newer = False
        __this_cpu_write(hw_vs_csr, vcpu.arch.guest_csr)
        __this_cpu_write(hw_hvip, vcpu.arch.hvip)
        kvm_riscv_gstage_update_hgatp(vcpu)
    kvm_riscv_vcpu_timer_restore(vcpu)
    kvm_riscv_vcpu_host_fp_save(vcpu)
    kvm_riscv_vcpu_guest_fp_restore(vcpu)
    kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)
    vcpu.cpu = cpu

# [Modified in design:skips]
def kvm_riscv_vcpu_set_reg_csr(vcpu: ptr[kvm_vcpu]):
    fresh(vcpu.arch.guest_csr, vcpu)
    {newer}
"""
OTHER, MOVED = "this_cpu_read(last_restored) != vcpu", "vcpu.arch.restored_on != cpu"
NEWER = "vcpu.arch.csr_newer"
SKIPS = {
    # the load restores where; what an ioctl says; what is violated
    "all": (f"{OTHER} or {MOVED} or {NEWER}", f"{NEWER} = True", set()),
    "no other vCPU": (f"{MOVED} or {NEWER}", f"{NEWER} = True", {GUEST, "MEMORY-FRESH"}),
    "no other CPU": (f"{OTHER} or {NEWER}", f"{NEWER} = True", {GUEST, "MEMORY-FRESH"}),
    "no ioctl": (f"{OTHER} or {MOVED} or {NEWER}", "pass", {GUEST, "MEMORY-FRESH"}),
}


@pytest.mark.parametrize("skips", SKIPS)
def test_a_load_of_v6_12_that_skips_finds_what_the_put_has_left(skips: str, tmp_path: Path) -> None:
    """The put leaves the CSRs as they are: a load may keep those that are the newest."""
    test, newer, violated = SKIPS[skips]
    at = tmp_path / "design" / "skips"
    at.mkdir(parents=True)
    (at / "overlay.py").write_text('OVERLAY = Overlay(name="skips", source="here", parent="A")\n')
    (at / "vcpu.py").write_text(LOAD.format(test=test, newer=newer))
    tasks = [
        {"runs": "vcpu_thread", "vcpu": v, "does": ["run", *(["ioctl"] if v == 0 else [])]}
        for v in (0, 1)
    ]
    constants = {"guest_traps": 0, "guest_resets": 0, "preempt_model": 1}
    raw = {"cpus": 2, "vms": [0, 0], "task": tasks, "set": constants}
    choice = Choice("riscv", "skips", release="v6.12", search=(tmp_path,))
    assert set(check(choice, make_scenario("skips", raw)).violated) == violated

"""The VMIDs of riscv: the lock, the IPI that is waited for, and requests that come too late.

docs/findings/riscv-vmid.md says what the last rests on.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from loadput.check.museum import passes
from loadput.check.verdict import Result, check
from loadput.link.program import Choice
from loadput.link.scenario import make_scenario
from loadput.run.explore import Limits

CONSTANTS = {
    "vmids_run_out": 1,
    "guest_traps": 0,
    "guest_resets": 0,
    "preempt_model": 1,
    "timer_irqs": 0,
}
TASKS = [{"runs": "vcpu_thread", "vcpu": n, "does": ["run"], "cpus": [n]} for n in (0, 1)]
RAW = {"cpus": 2, "vms": [0, 0], "task": TASKS, "set": CONSTANTS}
OVERLAY = (
    '"""Ours."""\nOVERLAY = Overlay(name="changed", parent="D", arch="riscv", release="v7.2")\n'
)
UPDATE = '''
# [Modified in twin:changed]
def kvm_riscv_gstage_vmid_update(vcpu: ptr[kvm_vcpu]):
    """The requests are made before anybody finds the version current."""
    if not kvm_riscv_gstage_vmid_ver_changed(vcpu.kvm):
        return
    {lock}
    if not kvm_riscv_gstage_vmid_ver_changed(vcpu.kvm):
        unlock_vmids()
        return
    if choose():
        with atomic:
            start_vmid_version()
            this_cpu_write(vmid_ipi, False)
        for c in each(cpu):
            await_until(not per_cpu(vmid_ipi, c))
    with atomic:
        fresh(vcpu.kvm.hgatp, vcpu.kvm)
    for v in each(kvm_vcpu):
        if v.kvm == vcpu.kvm:
            kvm_make_request(KVM_REQ_UPDATE_HGATP, v)
    WRITE_ONCE(vcpu.kvm.vmid_is_old, False)
    unlock_vmids()
'''


def run(choice: Choice) -> Result:
    return check(choice, make_scenario("vmid", RAW))


def changed(folder: Path, lock: str = "lock_vmids()") -> Choice:
    twin = folder / "twin" / "changed"
    twin.mkdir(parents=True)
    (twin / "overlay.py").write_text(OVERLAY)
    (twin / "vmid.py").write_text(UPDATE.format(lock=lock))
    return Choice("riscv", release="v7.2", twin="changed", search=(folder,))


def test_a_request_that_comes_after_the_version_is_suspected() -> None:
    r = run(Choice("riscv", release="v7.2"))
    assert r.violated == ["GUEST-STATE-COHERENT"]
    order = ["T1 lock_vmids", "T1 kvm_riscv_gstage_vmid_update", "T0 guest_runs"]
    assert passes(r.find("GUEST-STATE-COHERENT").counterexample, order)


def test_with_the_requests_first_it_holds(tmp_path: Path) -> None:
    assert run(changed(tmp_path)).verdict == "holds"


def test_who_does_not_take_the_lock_does_not_wait_for_the_ipi(tmp_path: Path) -> None:
    assert run(changed(tmp_path, lock="preempt_disable()")).violated == ["GUEST-STATE-COHERENT"]


IN_ORDER = """
# [Modified in twin:changed]
def kvm_riscv_gstage_vmid_ver_changed(kvm: ptr[kvm]) -> bool:
    changed = READ_ONCE(kvm.vmid_is_old)
    smp_rmb()
    return changed
"""


def test_who_sees_the_request_sees_the_vmid_too(tmp_path: Path) -> None:
    """Under weak: what kvm_make_request() and kvm_check_request() order. What they do not, the
    request and the version, is ordered here, or that would be violated first."""
    choice = replace(changed(tmp_path), memory="weak")
    at = tmp_path / "twin" / "changed" / "vmid.py"
    version = "    WRITE_ONCE(vcpu.kvm.vmid_is_old, False)"
    at.write_text(at.read_text().replace(version, f"    smp_wmb()\n{version}") + IN_ORDER)
    r = check(choice, make_scenario("vmid", RAW), limits=Limits(max_states=1_500_000))
    assert (r.verdict, r.violated) == ("not decided", [])


def test_the_ipi_of_a_new_version_flushes_the_cpu() -> None:
    """With it nothing is left of a VMID that is given out again."""
    where = {**RAW, "cpus": 1, "vms": [0], "task": [{**TASKS[0]}]}
    raw = {**where, "set": {**CONSTANTS, "gstage_unmaps": 1}}
    assert check(Choice("riscv", release="v7.3"), make_scenario("ipi", raw)).verdict == "holds"

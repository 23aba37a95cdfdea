"""A page that the host takes back: docs/findings/riscv-tlb-flush.md says what this rests on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadput.check.museum import passes
from loadput.check.verdict import Result, check
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario

OVERLAY = '"""Ours."""\nOVERLAY = Overlay(name="changed", parent="D", arch="riscv")\n'
HEAD = (
    "# [Modified in twin:changed]\ndef kvm_riscv_hfence_gvma_vmid_all_process(vcpu: ptr[kvm_vcpu]):"
)
AGAIN = "kvm_riscv_local_hfence_gvma_vmid_all(vcpu.kvm)\n    vcpu.arch.last_exit_cpu = -1"


def run(choice: Choice, cpus: tuple[int, ...] = (0, 1)) -> Result:
    s = load_scenario("unmap")
    vcpu, notifier = s.tasks
    return check(choice, replace(s, tasks=(replace(vcpu, cpus=cpus), notifier)))


def changed(folder: Path, body: str) -> Choice:
    twin = folder / "twin" / "changed"
    twin.mkdir(parents=True)
    (twin / "overlay.py").write_text(OVERLAY)
    (twin / "tlb.py").write_text(f'{HEAD}\n    """Ours."""\n    {body}\n')
    return Choice("riscv", release="v6.12", twin="changed", search=(folder,))


@pytest.mark.parametrize("release", ["v6.1.192", "v6.12"])
def test_a_vcpu_that_flushes_elsewhere_and_comes_back_is_suspected(release: str) -> None:
    r = run(Choice("riscv", release=release))
    assert r.violated == ["TLB-FRESH"]
    order = ["T1 kvm_unmap_gfn_range", "T0 kvm_sched_in", "T0 guest_runs"]
    assert passes(r.find("TLB-FRESH").counterexample, order)


def test_one_that_stays_flushes_where_it_ran() -> None:
    assert run(Choice("riscv", release="v6.12"), (0,)).verdict == "holds"


@pytest.mark.parametrize("release", ["v6.1.192", "v6.12"])
def test_one_that_comes_to_another_cpu_flushes_there(release: str) -> None:
    assert check(Choice("riscv", release=release), load_scenario("migration")).verdict == "holds"


def test_with_a_flush_at_the_next_entry_it_holds(tmp_path: Path) -> None:
    assert run(changed(tmp_path, AGAIN)).verdict == "holds"


def test_without_the_flush_one_that_stays_is_wrong_too(tmp_path: Path) -> None:
    assert run(changed(tmp_path, "pass"), (0,)).violated == ["TLB-FRESH"]


QUEUE = {"hfence_queued": 1, "guest_resets": 1, "guest_traps": 0, "timer_irqs": 0}
LOCKED = '''
# [Modified in twin:changed]
def reset_hfence_queue(vcpu: ptr[kvm_vcpu]):
    """Under hfence_lock."""
    with atomic:
        vcpu.arch.hfence_head = 0
        vcpu.arch.hfence_tail = 0
        for n in range(0, 2):
            vcpu.arch.hfence_queue[n] = False
'''


def queued(choice: Choice, **constants: int) -> Result:
    """The vCPU stays on a CPU: what this file suspects else does not come."""
    s = load_scenario("unmap")
    vcpu, notifier = s.tasks
    given = tuple({**dict(s.constants), **QUEUE, **constants}.items())
    return check(choice, replace(s, tasks=(replace(vcpu, cpus=(0,)), notifier), constants=given))


@pytest.mark.parametrize("release", ["v6.1.192", "v6.12", "v7.3"])
def test_a_reset_of_the_queue_without_its_lock_is_suspected(release: str) -> None:
    """docs/findings/riscv-hfence-reset.md"""
    r = queued(Choice("riscv", release=release))
    assert r.violated == ["TLB-FRESH"]
    order = ["T1 vcpu_hfence_enqueue", "T0 reset_hfence_queue", "T1 vcpu_hfence_enqueue"]
    assert passes(r.find("TLB-FRESH").counterexample, [*order, "T0 guest_runs"])
    assert queued(Choice("riscv", release=release), guest_resets=0).verdict == "holds"


def test_with_the_lock_it_holds(tmp_path: Path) -> None:
    choice = changed(tmp_path, "kvm_riscv_local_hfence_gvma_vmid_all(vcpu.kvm)")
    at = tmp_path / "twin" / "changed" / "mmu.py"
    at.write_text(LOCKED)
    assert queued(choice).verdict == "holds"


def test_who_does_not_take_from_the_queue_flushes_nothing(tmp_path: Path) -> None:
    choice = changed(tmp_path, "kvm_riscv_local_hfence_gvma_vmid_all(vcpu.kvm)")
    head = "# [Modified in twin:changed]\ndef vcpu_hfence_dequeue(vcpu: ptr[kvm_vcpu]) -> bool:"
    (tmp_path / "twin" / "changed" / "mmu.py").write_text(f"{head}\n    return False\n")
    assert queued(choice, guest_resets=0).violated == ["TLB-FRESH"]

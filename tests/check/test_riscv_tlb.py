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

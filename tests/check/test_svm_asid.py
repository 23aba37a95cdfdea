"""An ASID that another CPU gave: docs/findings/svm-asid-nested.md says what this rests on."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadput.check.verdict import Result, check
from loadput.link.program import Choice
from loadput.link.scenario import make_scenario
from loadput.run.exploration import Limits

CONSTANTS = {"asids": 1, "nested": 1, "nested_vcpus": 1, "preempt_model": 0, "timer_irqs": 0}
TASKS = [
    {"runs": "vcpu_thread", "vcpu": 0, "does": ["run"]},
    {"runs": "vcpu_thread", "vcpu": 1, "does": ["run"], "cpus": [0]},
]
RAW = {"cpus": 2, "vms": [0, 1], "task": TASKS, "set": CONSTANTS}
OVERLAY = '"""Ours."""\nOVERLAY = Overlay(name="asid-cpu", parent="D", arch="svm")\n'
FIXED = '''
class vcpu_svm(struct):
    asid_cpu: cpu = -1


# [Modified in twin:asid-cpu]
def pre_svm_run(vcpu: ptr[kvm_vcpu]):
    """The clean bits go by the VMCB, the ASID by the vCPU."""
    sd = per_cpu_ptr(addr(svm_data), vcpu.cpu)
    svm = to_svm(vcpu)
    if svm.vmcb_cpu[svm.current_vmcb] != vcpu.cpu:
        vmcb_mark_all_dirty(svm)
        svm.vmcb_cpu[svm.current_vmcb] = vcpu.cpu
    if svm.asid_cpu != vcpu.cpu:
        svm.asid_cpu = vcpu.cpu
        svm.asid_generation[VMCB01] = 0
        svm.asid_generation[VMCB02] = 0
    if svm.asid_generation[svm.current_vmcb] != sd.asid_generation:
        new_asid(svm, sd)
'''


def run(choice: Choice) -> Result:
    return check(choice, make_scenario("nested", RAW), limits=Limits(stop_at_first=True))


@pytest.mark.parametrize("release", ["v6.1", "v6.12"])
def test_a_vmcb_that_comes_back_to_its_cpu_is_suspected(release: str) -> None:
    """Whether the generation of the other VMCB is reset, as since the backport, or not."""
    assert run(Choice("svm", release=release)).violated == ["TLB-PRIVATE"]


def test_with_the_cpu_of_the_asid_noted_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "twin" / "asid-cpu"
    folder.mkdir(parents=True)
    (folder / "overlay.py").write_text(OVERLAY)
    (folder / "svm.py").write_text(FIXED)
    assert (
        run(Choice("svm", release="v6.12", twin="asid-cpu", search=(tmp_path,))).verdict == "holds"
    )

"""preempted is asked by what happened to the task, not by what kvm_sched_out() asks itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadput.check.verdict import check
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario

OVERLAY = '"""Ours."""\nOVERLAY = Overlay(name="wrong", parent="D")\n'
RUNNABLE = '''
# [Modified in twin:wrong]
def task_is_runnable(p: ptr[task_struct]) -> bool:
    """Wrong."""
    return {}
'''
RUN = '''
# [Modified in twin:wrong]
def kvm_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """User space has asked to come back at once, and nobody looks."""
    lock_vcpu(vcpu)
    vcpu.immediate_exit = choose()
    vcpu.wants_to_run = True
    kvm_arch_vcpu_ioctl_run(vcpu)
    vcpu.wants_to_run = False
    vcpu.immediate_exit = False
    unlock_vcpu(vcpu)
'''
WRONG = {
    RUNNABLE.format("p.on_rq"): "PREEMPTED-IFF-RUN",
    RUNNABLE.format("not p.sched_delayed"): "PREEMPTED-IFF-RUN",
    RUNNABLE.format("p.__state == TASK_RUNNING"): "PREEMPTED-WHEN-RUNNABLE",
    RUNNABLE.format("p.on_rq and not p.sched_delayed and choose()"): "PREEMPTED-WHEN-RUNNABLE",
    RUN: "WTR-SCOPE PREEMPTED-IFF-RUN",
}


@pytest.mark.parametrize(("body", "found"), WRONG.items())
def test_a_wrong_answer_is_seen(body: str, found: str, tmp_path: Path) -> None:
    folder = tmp_path / "twin" / "wrong"
    folder.mkdir(parents=True)
    (folder / "overlay.py").write_text(OVERLAY)
    (folder / "wrong.py").write_text(body)
    r = check(Choice("riscv", twin="wrong", search=(tmp_path,)), load_scenario("one"))
    assert r.violated == found.split()

"""A property that nothing comes to is not one that holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from loadput.check.verdict import Result, check, lay_blame
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario, make_scenario

Run = Callable[..., CompletedProcess[str]]
NEVER_RUNS = {
    "cpus": 1,
    "vms": [0],
    "task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["ioctl"]}],
}


def verdicts(r: Result) -> dict[str, str]:
    return {p.name: p.verdict for p in r.properties}


def test_what_is_asked_where_a_guest_runs_is_not_asked_where_none_does() -> None:
    r = check(Choice("loongarch"), make_scenario("ioctls", NEVER_RUNS))
    assert r.verdict == "holds"
    assert verdicts(r)["GUEST-STATE-COHERENT"] == "not asked"
    assert verdicts(r)["MEMORY-FRESH"] == "holds"
    assert "GUEST-STATE-COHERENT" not in {row["name"] for row in r.rows()}


def test_what_was_asked_before_and_is_not_any_more_is_not_decided() -> None:
    before = check(Choice("loongarch"), load_scenario("one"))
    after = check(Choice("loongarch"), make_scenario("ioctls", NEVER_RUNS))
    lay_blame(after, before)
    assert after.verdict == "not decided"
    p = after.find("GUEST-STATE-COHERENT")
    assert p.verdict == "not decided" and p.blame.startswith("not asked any more")


NOBODY_LOOKS = """
bool kvm_vcpu_wake_up(struct kvm_vcpu *vcpu)
{
\treturn false;
}
"""
NEVER_HALTS = """
void kvm_vcpu_halt(struct kvm_vcpu *vcpu)
{
}
"""


def test_a_patch_that_takes_away_what_a_property_is_about_is_told(
    loadput: Run, tmp_path: Path
) -> None:
    file = tmp_path / "wake.c"
    file.write_text(NOBODY_LOOKS)
    done = loadput("check", file, "--arch", "riscv", "--scenario", "one")
    assert done.returncode == 1
    assert "not decided   SCHED-OUT-CONTEXT: not asked any more" in done.stdout


@pytest.mark.parametrize("name", ["ASYMMETRY", "PREEMPTED-WHEN-RUNNABLE", "WOKEN-IS-READY"])
def test_a_patch_after_which_less_happens_says_of_what(
    loadput: Run, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "halt.c"
    file.write_text(NEVER_HALTS)
    done = loadput("check", file, "--arch", "riscv", "--scenario", "one")
    assert name in done.stdout.partition("at stake      less than before:")[2].partition("races")[0]


SILENT = """
void avic_ring_doorbell(struct kvm_vcpu *vcpu)
{
}
"""


def test_a_device_rings_a_guest_that_runs(loadput: Run, tmp_path: Path) -> None:
    """What its IPIs alone do not show: their sender has found the vCPU running."""
    file = tmp_path / "ring.c"
    file.write_text(SILENT)
    done = loadput("check", file, "--arch", "svm", "--scenario", "avic")
    assert done.stdout.startswith("verdict       NEW VIOLATION: DOORBELL-REACHES-GUEST (svm)")

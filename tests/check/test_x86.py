"""What x86 keeps on a CPU beside the vCPU: DEBUGCTL, the branch predictor, a VMCS that is freed."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadput.check.verdict import Result, check
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario, make_scenario
from loadput.run.exploration import Limits

CHANGED = {
    # The architecture, the scenario, what is changed, and what must be seen of it.
    "the host's DEBUGCTL is not restored": (
        "svm",
        "perf",
        "def load_host_debugctl(vcpu: ptr[kvm_vcpu]):",
        "HOST-DEBUGCTL",
    ),
    "a VMCS is freed where it is active": (
        "vmx",
        "reuse",
        "def free_loaded_vmcs(loaded_vmcs: ptr[loaded_vmcs]):",
        "FREED-IS-FORGOTTEN",
    ),
    "no barrier before user mode": (
        "vmx",
        "vmscape",
        "def ibpb_before_user():",
        "PREDICTOR-AT-USER",
    ),
}


def run(choice: Choice, scenario: str) -> Result:
    limits = Limits(stop_at_first=True)
    return check(choice, load_scenario(scenario), limits=limits)


@pytest.mark.parametrize("arch", ["svm", "vmx"])
@pytest.mark.parametrize("scenario", ["perf", "vmscape"])
def test_mainline_holds(arch: str, scenario: str) -> None:
    assert run(Choice(arch), scenario).verdict == "holds"


def test_vmx_frees_a_vcpu_that_no_cpu_remembers_in_v6_12() -> None:
    """docs/findings/vmx-last-vcpu.md has v7.3."""
    assert run(Choice("vmx", release="v6.12"), "reuse").verdict == "holds"


@pytest.mark.parametrize("what", CHANGED)
def test_what_is_left_out_is_seen(what: str, tmp_path: Path) -> None:
    arch, scenario, head, found = CHANGED[what]
    folder = tmp_path / "twin" / "changed"
    folder.mkdir(parents=True)
    overlay = f'"""Ours."""\nOVERLAY = Overlay(name="changed", parent="D", arch="{arch}")\n'
    (folder / "overlay.py").write_text(overlay)
    body = f'# [Modified in twin:changed]\n{head}\n    """Nothing."""\n    pass\n'
    (folder / "x86.py").write_text(body)
    choice = Choice(arch, twin="changed", search=(tmp_path,))
    assert run(choice, scenario).violated == [found]


NEW = """
@property_(source="ours")
@at_exit(kvm_x86_vcpu_create)
def NEW_IS_ZERO(vcpu: ptr[kvm_vcpu]) -> bool:
    \"\"\"A vCPU that is made is what its memory is: 0.\"\"\"
    return {}
"""
LEFT = {
    # What the vCPU before may have left, on which architecture.
    "that it waited": ("svm", ["run", "halt"], {}, "not vcpu.arch.halted"),
    "that it waited, on VMX": ("vmx", ["run", "halt"], {}, "not vcpu.arch.halted"),
    "its ASID": ("svm", ["run"], {"asids": 1}, "to_svm(vcpu).asid_generation[0] == 0"),
    "its counters": ("svm", ["run"], {"vpmu_in_use": 1}, "not vcpu.arch.pmu.need_cleanup"),
}


@pytest.mark.parametrize("release", ["v6.12", "v7.3"])
@pytest.mark.parametrize("what", LEFT)
def test_a_vcpu_that_is_made_has_nothing_of_the_one_before(
    what: str, release: str, tmp_path: Path
) -> None:
    """kvm_vm_ioctl_create_vcpu() zeroes what it gets."""
    arch, does, constants, left = LEFT[what]
    folder = tmp_path / "twin" / "asked"
    folder.mkdir(parents=True)
    overlay = f'"""Ours."""\nOVERLAY = Overlay(name="asked", parent="D", arch="{arch}")\n'
    (folder / "overlay.py").write_text(overlay)
    (folder / "properties.py").write_text(NEW.format(left))
    task = [{"runs": "vmm_thread", "vcpu": 0, "does": does}]
    raw = {"cpus": 1, "vms": [0], "task": task, "set": {"vm_lifetime": 1, **constants}}
    choice = Choice(arch, release=release, twin="asked", search=(tmp_path,))
    # docs/findings/vmx-last-vcpu.md
    known = ["FREED-IS-FORGOTTEN"] if (arch, release) == ("vmx", "v7.3") else []
    assert check(choice, make_scenario("made", raw)).violated == known

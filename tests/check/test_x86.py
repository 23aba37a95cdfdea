"""What x86 keeps on a CPU beside the vCPU: DEBUGCTL, the branch predictor, a VMCS that is freed."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadput.check.verdict import Result, check
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario
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

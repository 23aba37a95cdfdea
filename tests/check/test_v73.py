"""v7.3 on x86: the barrier goes by the vCPU, a put suppresses notifications, trees name it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadput.api import check
from loadput.check.basis import newer_than, tree_release
from loadput.link.program import Choice
from loadput.link.scenario import Scenario, load_scenario

HOLDS: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("arch", "scenario", "states", "found"),
    [
        # On one and on shared as many as in v6.12: last_vcpu is where current_vmcb was.
        ("svm", "one", 2_672, HOLDS),
        ("vmx", "one", 3_075, HOLDS),
        ("svm", "shared", 987, HOLDS),
        ("vmx", "shared", 1_980, HOLDS),
        ("svm", "reuse", 157_466, HOLDS),
        ("vmx", "posted", 17_697, HOLDS),
        # docs/findings: nested-ibrs-migration.md, vmx-last-vcpu.md, pi-request-irqs-off.md
        # A step of svm's that waits for a free VMCB page ends before it (docs/reductions.md).
        ("svm", "nested", 197_092, ("PREDICTOR-OF-L2",)),
        ("vmx", "assign", 132_025, ("KERNEL-WARN",)),
        ("vmx", "posted-offline", 29_480, ("NO-LOST-WAKEUP",)),
    ],
)
def test_what_v7_3_decides(arch: str, scenario: str, states: int, found: tuple[str, ...]) -> None:
    r = check(Choice(arch, release="v7.3"), load_scenario(scenario))
    assert (r.states, tuple(r.violated)) == (states, found)


@pytest.mark.parametrize("arch", ["svm", "vmx"])
def test_with_proxy_execution_a_vcpu_that_sleeps_on_a_mutex_is_marked_preempted(arch: str) -> None:
    """docs/findings/proxy-preempted.md; on every other page proxy execution is off."""
    s = load_scenario("one")
    s = replace(s, constants=(*s.constants, ("proxy_exec", 1)))
    r = check(Choice(arch, release="v7.3"), s)
    assert r.violated == ["PREEMPTED-IFF-RUN"]


def test_a_guest_whose_registers_are_protected_beside_one_whose_are_not() -> None:
    s = load_scenario("shared")
    s = replace(s, constants=(*s.constants, ("sev_es_vcpus", 1)))
    r = check(Choice("svm", release="v7.3"), s)
    assert (r.states, r.violated) == (4_075, [])


def posted_by_iommu() -> Scenario:
    """As avic, with the device's interrupts in the IOMMU's hands alone."""
    s = load_scenario("avic")
    by_iommu = (("device_irq_cpus", 0), ("avic_ipi_cpus", 0), ("avic_posting", 3))
    return replace(s, constants=(*s.constants, *by_iommu))


def test_what_the_iommu_posts_wakes_a_vcpu_that_waits() -> None:
    r = check(Choice("svm", release="v7.3"), posted_by_iommu())
    assert (r.states, r.violated) == (360_690, [])


def test_a_vcpu_that_asks_for_no_log_entry_sleeps_on(tmp_path: Path) -> None:
    at = tmp_path / "twin" / "no_log"
    at.mkdir(parents=True)
    head = 'OVERLAY = Overlay(name="no_log", parent="D", arch="svm", release="v7.3")'
    (at / "overlay.py").write_text(f'"""Ours."""\n{head}\n')
    (at / "avic.py").write_text(
        "# [Modified in twin:no_log]\ndef avic_vcpu_blocking(vcpu: ptr[kvm_vcpu]):\n"
        "    __avic_vcpu_put(vcpu, AVIC_RUNNING)\n"
    )
    choice = Choice("svm", release="v7.3", twin="no_log", search=(tmp_path,))
    assert "NO-LOST-WAKEUP" in check(choice, posted_by_iommu()).violated


def test_without_virtual_ipis_the_table_says_running_of_nobody() -> None:
    s = load_scenario("avic")
    s = replace(s, constants=(*s.constants, ("enable_ipiv", 0)))
    assert check(Choice("svm", release="v7.3"), s).violated == []


@pytest.mark.parametrize("arch", ["svm", "vmx"])
def test_user_mode_that_changes_its_pkru_finds_what_it_has_written(arch: str) -> None:
    s = load_scenario("one")
    s = replace(s, constants=(*s.constants, ("user_writes_pkru", 1)))
    assert check(Choice(arch, release="v7.3"), s).violated == []


DESIGNS = ("A", "A-swapped", "B", "B-inner", "C", "C-out")


@pytest.mark.parametrize("arch", ["svm", "vmx", "arm64", "arm64-nv", "arm64-nvhe", "riscv", "s390"])
def test_a_design_has_a_form_for_the_load_of_v7_3_and_is_as_large_as_its_own(arch: str) -> None:
    """On x86 a load of v6.12 would issue no barrier at all."""
    one = load_scenario("one")
    own = check(Choice(arch, release="v7.3"), one)
    for design in DESIGNS:
        r = check(Choice(arch, design, "v7.3"), one)
        assert (r.states, r.violated) == (own.states, []), design


@pytest.mark.parametrize(
    ("design", "states", "found"),
    [
        ("skip-i", 19_544, ["HOST-AREA-FRESH", "HOST-RESTORED"]),
        ("skip-ii", 19_544, ["HOST-AREA-FRESH", "HOST-RESTORED"]),
        ("skip-iii", 12_449, ["HOST-AREA-FRESH", "HOST-RESTORED"]),
        ("skip-iv", 5_981, []),
        ("skip-v", 4_815, []),
        ("snapshot", 3_408, []),
    ],
)
def test_to_skip_vmsave_comes_to_the_same_in_both_releases(
    design: str, states: int, found: list[str]
) -> None:
    for release in ("v6.12", "v7.3"):
        r = check(Choice("svm", design, release), load_scenario("one"))
        assert (r.states, r.violated) == (states, found)


def test_a_twin_that_touches_nothing_that_changed_is_taken() -> None:
    r = check(Choice("svm", release="v7.3", twin="gsl_kept"), load_scenario("one"))
    assert "GSL-RESET" in r.violated


@pytest.mark.parametrize(
    ("version", "arch", "release", "newer"),
    [
        ((6, 1, 0), "svm", "v6.1", False),
        ((6, 12, 117), "svm", "v6.12", False),
        ((7, 2, 13), "riscv", "v7.2", False),
        ((7, 2, 13), "svm", "v7.3", False),
        ((7, 3, 4), "vmx", "v7.3", False),
        ((7, 5, 0), "vmx", "v7.3", True),
    ],
)
def test_the_release_of_a_tree(
    tmp_path: Path, version: tuple[int, int, int], arch: str, release: str, newer: bool
) -> None:
    words = zip(("VERSION", "PATCHLEVEL", "SUBLEVEL"), version, strict=True)
    (tmp_path / "Makefile").write_text("".join(f"{w} = {n}\n" for w, n in words))
    assert tree_release(tmp_path, [arch]) == release
    told = newer_than(tmp_path, [arch])
    assert ("newer than the specification" in told and release in told) == newer

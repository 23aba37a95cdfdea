"""Real bugs: found where the fix is taken out, not found with it."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from loadput.base.errors import LoadputError
from loadput.check.museum import (
    ANOTHER,
    PUBLISHED,
    Shown,
    entries,
    get_entry,
    not_shown,
    passes,
    show,
)
from loadput.check.verdict import check
from loadput.link.overlay import find_overlays
from loadput.link.program import Choice
from loadput.link.scenario import FOLDER, load_scenario, make_scenario
from loadput.run.reduce import NOTHING

FOUND = {
    # entry: property, steps, states before, states after, way
    "arm-last-vcpu-tlb": ("TLB-PRIVATE", 13, 2093, 1477, PUBLISHED),
    "arm64-flags-rmw": ("SPE-STOPPED-IN-GUEST", 15, 2640, 2392, PUBLISHED),
    "arm64-pause-bool": ("HALTED-WHILE-HELD", 33, 23367, 19500, PUBLISHED),
    "arm64-pmuserenr-irq": ("PMUSERENR-TRAPS", 6, 312, 196, PUBLISHED),
    "arm64-reset-while-loaded": ("GUEST-STATE-COHERENT", 11, 3019, 1508, PUBLISHED),
    "ppc-lost-kick": ("NO-LOST-DOORBELL", 25, 25915, 25223, PUBLISHED),
    "arm64-sve-flag-sticky": ("HOST-SVE-AT-USER", 29, 2333, 2194, PUBLISHED),
    "avic-set-running-stale-cpu": ("DOORBELL-REACHES-GUEST", 51, 389222, 249186, PUBLISHED),
    "preempted-iff-running": ("PREEMPTED-IFF-RUN", 8, 2636, 2672, PUBLISHED),
    "riscv-vs-tlb-migration": ("TLB-FRESH", 25, 589, 897, PUBLISHED),
    "s390-kicked-mask": ("NO-LOST-WAKEUP", 59, 25025, 23514, PUBLISHED),
    "sched-delayed-preempted": ("PREEMPTED-IFF-RUN", 25, 2675, 2672, PUBLISHED),
    "st-flush-bit-lost": ("DEFERRED-FLUSH", 81, 168129, 90787, PUBLISHED),
    "st-preempted-mid-insn": ("TLB-FRESH", 65, 283745, 90787, PUBLISHED),
    "svm-ibpb-vmcb-aba": ("PREDICTOR-OWN", 44, 205934, 142854, PUBLISHED),
    "svm-tsc-ratio-cache": ("GUEST-STATE-COHERENT", 25, 15435, 11378, PUBLISHED),
    "svm-vmcb-cpu-on-switch": ("CLEAN-WHERE-IT-RAN", 22, 61016, 103012, PUBLISHED),
    "vgic-vmcr-block": ("NO-LOST-WAKEUP", 44, 45869, 39173, ANOTHER),
    "vgic4-doorbell-preempt": ("NO-LOST-WAKEUP", 37, 51390, 39173, PUBLISHED),
    "vmcs-clear-publish-order": ("LIST-ADD", 23, 73192, 22548, PUBLISHED),
    "vmcs-foreign-access": ("RVI-OWN", 82, 97146, 59497, PUBLISHED),
    "vmx-pi-on-after-sn": ("PI-ON-IF-POSTED", 15, 46674, 58309, ANOTHER),
    "vmx-self-post-no-wake": ("NO-LOST-WAKEUP", 39, 6658, 6838, PUBLISHED),
    "x86-debugctl-snapshot": ("HOST-DEBUGCTL", 15, 434, 262, PUBLISHED),
    "arm64-mode-before-sync": ("HALTED-IS-SYNCED", 23, 65027, 64167, PUBLISHED),
    "arm64-pmuserenr-zeroed": ("HOST-PMUSERENR", 10, 168, 196, PUBLISHED),
    "arm64-vmid-unallocated": ("VMID-ACTIVE", 15, 14252, 1156, PUBLISHED),
    "loongarch-resume-csr": ("GUEST-STATE-COHERENT", 18, 12653, 9429, PUBLISHED),
    "ppc-smt8-tlb": ("TLB-FRESH", 13, 590, 1094, PUBLISHED),
    "s390-acrs-in-ioctl": ("MEMORY-FRESH", 6, 3828, 2281, PUBLISHED),
    "s390-idle-mask-id": ("NO-LOST-WAKEUP", 27, 314, 439, PUBLISHED),
    "svm-asid-hotplug": ("TLB-PRIVATE", 69, 18048, 35208, PUBLISHED),
    "svm-nested-exit-ibrs": ("PREDICTOR-OF-L2", 16, 358, 358, PUBLISHED),
    "svm-sev-es-tsc-aux": ("URET-GUEST", 21, 3152, 4075, PUBLISHED),
    "vgic4-pending-last": ("NO-LOST-WAKEUP", 28, 42238, 39173, PUBLISHED),
    "vmx-assign-not-told": ("NO-LOST-WAKEUP", 44, 47384, 103386, PUBLISHED),
    "x86-pkru-cr4": ("GUEST-XSTATE", 19, 3075, 3075, PUBLISHED),
    "x86-vmscape": ("PREDICTOR-AT-USER", 8, 7815, 4690, PUBLISHED),
}


SMALL = 20_000
"""States of an entry that the interpreter is asked about too."""


@cache
def shown(name: str) -> Shown:
    (out,) = show([get_entry(name)], check)
    return out


def test_every_entry_is_pinned_here() -> None:
    between = {s.overlay for e in entries().values() for s in e.intermediate}
    assert set(FOUND) == set(entries()) == set(find_overlays("museum")) - between


@pytest.mark.parametrize("name", FOUND)
def test_the_bug_is_found_and_its_fix_holds(name: str) -> None:
    s = shown(name)
    p = s.finding
    assert p is not None and s.is_right
    found = (p.name, p.depth, s.before.states, s.after.states, s.way)
    assert found == FOUND[name]


@pytest.mark.parametrize("name", FOUND)
def test_it_is_found_without_reductions_and_by_the_interpreter(name: str) -> None:
    s = shown(name)
    for engine in ("native", "interp") if s.before.states <= SMALL else ("native",):
        r = check(s.before.choice, s.before.scenario, engine=engine, reduce=NOTHING)
        depths = {p.name: p.depth for p in r.properties}
        assert depths == {p.name: p.depth for p in s.before.properties}


@pytest.mark.parametrize("name", FOUND)
def test_an_entry_says_what_its_overlay_breaks_and_cites_its_fix(name: str) -> None:
    e, overlay = get_entry(name), find_overlays("museum")[name]
    assert e.property.replace("-", "_") in overlay.breaks
    assert all(re.fullmatch("[0-9a-f]{12}", c) and c in overlay.doc for c in e.commits)
    assert e.wrong.endswith(".") and e.fix.endswith(".")


def test_nothing_is_both_shown_and_not() -> None:
    assert not set(entries()) & set(not_shown())
    assert len(entries()) + len(not_shown()) == 38


def test_the_command_shows_one_entry(loadput) -> None:  # type: ignore[no-untyped-def]
    done = loadput("museum", "arm-last-vcpu-tlb")
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("94d0e5980d67", "wrong ", "fix ", "!! TLB-PRIVATE", "the published schedule"):
        assert word in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 110  # source lines as they stand


def test_the_command_shows_them_all(loadput, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = loadput("museum", "--json", "m.json")
    assert done.returncode == (1 if not_shown() else 0), done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 72
    data = json.loads((tmp_path / "m.json").read_text())
    assert [r["id"] for r in data["entries"]] == sorted(FOUND)
    assert all(r["found"] and r["holds_with_fix"] for r in data["entries"])
    assert data["not_shown"] == not_shown()


@pytest.mark.parametrize("name", ["arm-last-vcpu", "no-such-bug", *not_shown()])
def test_an_entry_that_is_not_there(loadput, name: str) -> None:  # type: ignore[no-untyped-def]
    done = loadput("museum", name)
    assert done.returncode == 2 and done.stderr.startswith("error[LP0508]")


def test_another_way_is_told_from_the_published_one() -> None:
    s = shown("preempted-iff-running")
    assert s.way == PUBLISHED
    turned = s.entry.schedule[::-1]
    from dataclasses import replace

    assert Shown(replace(s.entry, schedule=turned), s.before, s.after).way == ANOTHER


PAIR = """
[[intermediate]]
overlay = "only-half"
told = "Half a fix."
verdict = "{verdict}"
"""
OVERLAY = '"""Ours."""\nOVERLAY = Overlay(name="{name}", parent="D", breaks="PREEMPTED_IFF_RUN")\n'


def make_pair(folder: Path, verdict: str, *, more: str = "") -> Path:
    """An entry that is the shipped one, and a state between: with the bug, or without a change."""
    mine = folder / "mine" / "museum"
    entry = find_overlays("museum")["preempted-iff-running"].folder
    bug = (entry / "kvm_main.py").read_text()
    for name, body in (("whole", bug), ("only-half", bug if verdict == "violated" else "")):
        at = mine / name
        at.mkdir(parents=True)
        (at / "overlay.py").write_text(OVERLAY.format(name=name))
        (at / "kvm_main.py").write_text(body.replace(entry.name, name))
    text = (entry / "entry.toml").read_text() + PAIR.format(verdict=verdict) + more
    (mine / "whole" / "entry.toml").write_text(text)
    return mine.parent


@pytest.mark.parametrize("verdict", ["violated", "holds"])
def test_a_state_between_two_fixes_has_a_verdict_of_its_own(tmp_path: Path, verdict: str) -> None:
    mine = make_pair(tmp_path, verdict)
    (s,) = show([get_entry("whole", mine)], check, search=(mine,))
    (b,) = s.between
    assert s.is_right and b.is_right and (b.finding is not None) == (verdict == "violated")
    other = {"violated": "holds", "holds": "violated"}[verdict]
    from dataclasses import replace

    wrong = replace(s, between=(replace(b, state=replace(b.state, verdict=other)),))
    assert not wrong.is_right


def test_the_command_shows_a_state_between(loadput, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    make_pair(tmp_path, "violated")
    done = loadput("museum", "--overlays", "mine", "whole", "--json", "m.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "between       Half a fix. PREEMPTED-IFF-RUN violated, as expected." in done.stdout
    assert done.stdout.count("!! PREEMPTED-IFF-RUN") == 2
    (row,) = json.loads((tmp_path / "m.json").read_text())["entries"]
    assert [(b["overlay"], b["as_expected"]) for b in row["intermediate"]] == [("only-half", True)]
    done = loadput("museum", "--overlays", "mine", "whole", "preempted-iff-running")
    assert done.returncode == 0 and "  only-half " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 72


def test_an_overlay_that_is_neither_entry_nor_between_is_an_error(tmp_path: Path) -> None:
    mine = make_pair(tmp_path, "violated")
    text = (mine / "museum" / "whole" / "entry.toml").read_text()
    (mine / "museum" / "whole" / "entry.toml").write_text(text.partition("[[")[0])
    with pytest.raises(LoadputError, match=r"only-half: no entry\.toml") as e:
        get_entry("whole", mine)
    assert e.value.code == "LP0509"


def test_an_unknown_word_about_a_state_between_is_an_error(tmp_path: Path) -> None:
    mine = make_pair(tmp_path, "violated", more='fixed = "x"\n')
    with pytest.raises(LoadputError, match="whole: intermediate: fixed") as e:
        get_entry("whole", mine)
    assert e.value.code == "LP0509"


def test_a_vcpu_that_was_marked_preempted_while_it_slept_lost_a_devices_interrupt() -> None:
    """What sched-delayed-preempted did on VMX: the put set SN for a vCPU that had blocked."""
    r = check(
        Choice("vmx", twin="sched-delayed-preempted", release="v6.12"), load_scenario("posted")
    )
    assert r.violated == ["PREEMPTED-IFF-RUN", "NO-LOST-WAKEUP"]
    steps = r.find("NO-LOST-WAKEUP").counterexample
    assert len(steps) == 43
    assert passes(steps, ["T0 kvm_vcpu_block", "T0 pi_set_sn", "irq device_posts_interrupt"])


def test_a_vcpu_that_looked_at_a_foreign_one_hid_its_interrupt_from_its_guest() -> None:
    """What vmcs-foreign-access did on two CPUs: PIR went to IRR and not to the guest's own RVI."""
    raw = tomllib.loads((FOLDER / "spin.toml").read_text("utf-8"))
    raw["cpus"] = 2
    for t in raw["task"]:
        t["cpus"] = [t["vcpu"]]
    r = check(Choice("vmx", twin="vmcs-foreign-access"), make_scenario("spin on two", raw))
    assert r.violated == ["VMCS-CURRENT", "RVI-OWN", "PI-ON-IF-POSTED", "PI-NOTIFIED"]

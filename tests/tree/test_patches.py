"""Patches of real kernels, made here from the tree: what changes nothing, and what breaks it.

`make test-tree` fetches the trees; without them these tests skip, and say so.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

import pytest

import loadput as lp
from loadput.check.fingerprint import known
from loadput.check.follow import IN_STEP, NOT_TAKEN, follow, take
from loadput.check.judge import known_archs
from loadput.check.mirrors import find_in_tree, places
from loadput.link.program import specification

from .test_real_functions import source

bulk = pytest.mark.skipif(
    not os.environ.get("LOADPUT_SLOW"), reason="minutes for an architecture: set LOADPUT_SLOW"
)
VERSIONS = ("6.1", "6.12", "7.3")
RELEASE = {"6.1": "v6.1.192", "6.12": "v6.12", "7.3": "v6.12"}


def patch(tree: Path, path: str, old: str, new: str) -> str:
    text = (tree / path).read_text("utf-8", "replace")
    assert old in text, f"not in {path}: {old}"
    at = text.index(old)
    rows = [text.splitlines(keepends=True)]
    rows.append((text[:at] + new + text[at + len(old) :]).splitlines(keepends=True))
    return "".join(difflib.unified_diff(*rows, f"a/{path}", f"b/{path}"))


@bulk
@pytest.mark.parametrize("arch", known_archs())
@pytest.mark.parametrize("version", VERSIONS)
def test_a_print_in_any_mirrored_function_changes_nothing(version: str, arch: str) -> None:
    """In every function that the specification mirrors and the tree has."""
    tree = source(version)
    defs, _ = specification(lp.Choice(arch, release=RELEASE[version]))
    wrong = []
    for name, f in sorted(find_in_tree(tree, places(defs)).items()):
        raw = "\n".join(ln.text for ln in f.lines)
        if not raw.rstrip().endswith("}") or "\n{" not in raw:
            continue  # a macro, assembly, a line of a table, a body on one line
        if raw.startswith("DEFINE_"):
            continue
        at = raw.rindex("}")
        new = raw[:at] + '\tpr_debug("here\\n");\n' + raw[at:]
        j = lp.judge(patch(tree, f.path, raw, new), tree=tree, arch=arch, base=RELEASE[version])
        if j.verdict != "changes nothing that is modelled" or j.exit_code:
            wrong.append((name, j.verdict))
    assert wrong == []


REMOVED = {  # what is taken out, where, and what notices
    "the barrier": (
        *("svm", "shared", "arch/x86/kvm/svm/svm.c", "IBPB"),
        r"[^\n]*IBPB_ON_VMEXIT[^\n]*\n[^\n]*indirect_branch_prediction_barrier\(\);\n",
    ),
    "the host's KERNEL_GS_BASE": (
        *("vmx", "one", "arch/x86/kvm/vmx/vmx.c", "HOST-RESTORED"),
        r"\twrmsrl\(MSR_KERNEL_GS_BASE, vmx->msr_host_kernel_gs_base\);\n",
    ),
    "hgatp": (
        *("riscv", "shared", "arch/riscv/kvm/vcpu.c", "GUEST-STATE-COHERENT"),
        r"\tkvm_riscv_gstage_update_hgatp\(vcpu\);\n(?=\n\tkvm_riscv_vcpu_timer_restore)",
    ),
    "VMSAVE": (
        *("svm", "one", "arch/x86/kvm/svm/svm.c", "HOST-AREA-FRESH"),
        r"\tvmsave\(sd->save_area_pa\);\n",
    ),
    "the vendor's load": (
        *("svm", "shared", "arch/x86/kvm/x86.c", "IBPB"),
        r"\tkvm_x86_call\(vcpu_load\)\(vcpu, cpu\);\n",
    ),
    "the gmap": (
        *("s390", "one", "arch/s390/kvm/kvm-s390.c", "GUEST-STATE-COHERENT"),
        r"\tgmap_enable\(vcpu->arch.enabled_gmap\);\n"
        r"(?=\tkvm_s390_set_cpuflags\(vcpu, CPUSTAT_RUN)",
    ),
}


@pytest.mark.parametrize("what", REMOVED)
def test_what_is_taken_out_of_the_kernel_is_a_new_violation(what: str) -> None:
    arch, scenario, path, expected, pattern = REMOVED[what]
    tree = source("6.12")
    (old,) = set(re.findall(pattern, (tree / path).read_text()))
    j = lp.judge(patch(tree, path, old, ""), tree=tree, arch=arch, scenario=scenario)
    found = [p for x in j.judging.judged for e in x.explored for p in e.result.properties]
    assert expected in [p.name for p in found if p.blame == "new with this change"]
    assert j.exit_code == 1


@pytest.mark.parametrize("arch", known_archs())
def test_the_tree_that_is_mirrored_is_in_step(arch: str) -> None:
    tree = source("6.12")
    if "6.12.117" not in tree.name:
        pytest.skip("the fingerprints are of 6.12.117")
    got = follow(tree, lp.Choice(arch))
    assert {f.name: f.status for f in got.functions if f.status not in (IN_STEP, NOT_TAKEN)} == {}
    assert got.is_in_step


def test_the_fingerprints_are_those_of_the_tool() -> None:
    tree = source("6.12")
    if "6.12.117" not in tree.name:
        pytest.skip("the fingerprints are of 6.12.117")
    have = known("v6.12")
    made = {(f.path, f.name): f for f in take(tree, "v6.12", known_archs())}
    assert {k for k in made if k not in have or have[k].text != made[k].text} == set()


def test_a_newer_tree_says_what_has_changed() -> None:
    got = follow(source("7.3"), lp.Choice("riscv"))
    assert not got.is_in_step
    status = {f.name: f.status for f in got.functions}
    assert status["vcpu_load"] == IN_STEP
    assert status["kvm_vcpu_kick"] == "changed since"
    (kick,) = [f for f in got.functions if f.name == "kvm_vcpu_kick"]
    assert kick.path == "include/linux/kvm_host.h" and not kick.carries


@bulk
@pytest.mark.parametrize("arch", known_archs())
def test_damage_is_carried_over_or_not_judged(arch: str) -> None:
    """Of the statements that ours has a part for, none is passed over."""
    from tools.damage import summary

    rows = summary(source("6.12"), arch)
    assert rows["silent"] == 0
    assert rows["carried"] >= 0.95 * rows["modelled"], rows

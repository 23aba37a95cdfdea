"""Patches of real kernels, made here from the tree: what changes nothing, and what breaks it.

`make test-tree` fetches the trees; without them these tests skip, and say so.
"""

from __future__ import annotations

import difflib
import os
import random
import re
from pathlib import Path

import pytest

import loadput as lp
from loadput.check.basis import tree_release
from loadput.check.judge import SAME
from loadput.check.mirrors import find_in_tree
from loadput.check.scope import places_on
from loadput.link.overlay import known_archs
from loadput.link.program import specification
from tools.rewrite import answer, patches

from .test_real_functions import source

bulk = pytest.mark.skipif(
    not os.environ.get("LOADPUT_SLOW"), reason="minutes for an architecture: set LOADPUT_SLOW"
)
VERSIONS = ("6.1", "6.12", "7.3")


def patch(tree: Path, path: str, old: str, new: str) -> str:
    text = (tree / path).read_text("utf-8", "replace")
    assert old in text, f"not in {path}: {old}"
    at = text.index(old)
    rows = [text.splitlines(keepends=True)]
    rows.append((text[:at] + new + text[at + len(old) :]).splitlines(keepends=True))
    return "".join(difflib.unified_diff(*rows, f"a/{path}", f"b/{path}"))


def no_ops(version: str, arch: str) -> dict[str, str]:
    """Per function that the specification mirrors and the tree has, a patch that adds a print."""
    tree = source(version)
    defs, _ = specification(lp.Choice(arch, release=tree_release(tree)))
    out = {}
    for name, f in sorted(find_in_tree(tree, places_on(arch, defs)).items()):
        raw = "\n".join(ln.text for ln in f.lines)
        if not raw.rstrip().endswith("}") or "\n{" not in raw or raw.startswith("DEFINE_"):
            continue  # a macro, assembly, a line of a table, a body on one line
        at = raw.rindex("}")
        new = raw[:at] + '\tpr_debug("here\\n");\n' + raw[at:]
        out[name] = patch(tree, f.path, raw, new)
    return out


def not_clean(version: str, arch: str, diffs: dict[str, str]) -> list[tuple[str, str]]:
    said = [(n, lp.judge(d, tree=source(version), arch=arch)) for n, d in diffs.items()]
    return [(n, j.verdict) for n, j in said if (j.verdict, j.exit_code) != (SAME, 0)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_print_in_a_mirrored_function_changes_nothing(version: str) -> None:
    """In some of every architecture, other ones of each version; all of them below."""
    draw = random.Random(version)
    for arch in known_archs():
        diffs = no_ops(version, arch)
        some = {n: diffs[n] for n in draw.sample(sorted(diffs), 4)}
        assert not_clean(version, arch, some) == [], arch


@bulk
@pytest.mark.parametrize("arch", known_archs())
@pytest.mark.parametrize("version", VERSIONS)
def test_a_print_in_any_mirrored_function_changes_nothing(version: str, arch: str) -> None:
    assert not_clean(version, arch, no_ops(version, arch)) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_function_that_is_written_in_another_way_is_not_another(version: str) -> None:
    """Some places of every architecture, other ones of each version."""
    draw = random.Random(f"{version} in other words")
    for arch in known_archs():
        for name, kind, where, diff in draw.sample(list(patches(source(version), arch)), 3):
            said, words = answer(source(version), arch, diff)
            assert said != "wrong", (arch, name, kind, where, words)


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


@bulk
@pytest.mark.parametrize("arch", known_archs())
def test_damage_is_carried_over_or_not_judged(arch: str) -> None:
    """Of the statements that ours has a part for, none is passed over."""
    from tools.damage import summary

    rows = summary(source("6.12"), arch)
    assert rows["silent"] == 0
    assert rows["carried"] >= 0.95 * rows["modelled"], rows


KICKED = {
    "title": "2 CPUs, a vCPU thread, interrupts for it",
    "cpus": 2,
    "vms": [0],
    "task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["run", "irq"]}],
    "set": {"preempt_model": 1},
}
MODE = "\tsmp_mb__after_srcu_read_unlock();\n"
KICK = "\tsmp_mb__before_atomic();\n\treturn cmpxchg(&vcpu->mode"


@pytest.mark.parametrize("memory", ["sc", "tso"])
def test_the_barrier_behind_the_mode_is_missed_where_stores_are_late(memory: str) -> None:
    tree = source("7.3")
    diff = patch(tree, "arch/x86/kvm/x86.c", MODE, "")
    j = judge_kicked(diff, tree, memory)
    (found,) = j.judging.judged
    assert found.result is not None and found.result.violated == [
        "NO-LOST-INTERRUPT",
        "NO-LOST-KICK",
    ]
    assert j.exit_code == 1 and "waits in c" in j.text()
    late = {x.late for x in found.explored}
    assert late == {memory == "sc"}, "sc has the same machine with and without it: tso is asked too"
    assert ("NO-LOST-KICK under tso (svm)" in j.text()) == (memory == "sc")


@pytest.mark.parametrize("memory", ["sc", "tso"])
def test_the_barrier_of_the_kick_is_beside_locked_operations_on_x86(memory: str) -> None:
    """set_bit() of the request comes before it, cmpxchg() of the mode after it."""
    tree = source("7.3")
    diff = patch(tree, "include/linux/kvm_host.h", KICK, KICK.partition("\n")[2])
    j = judge_kicked(diff, tree, memory)
    assert j.exit_code == 0 and not any(r.result.violated for r in j.judging.judged if r.result)
    (found,) = j.judging.judged
    assert {x.late for x in found.explored} == {memory == "sc"}


def test_a_search_under_tso_that_ends_early_is_not_decided_where_order_is_all_that_changes() -> (
    None
):
    tree = source("7.3")
    diff = patch(tree, "include/linux/kvm_host.h", KICK, KICK.partition("\n")[2])
    j = judge_kicked(diff, tree, "sc", most=1000)
    assert (j.verdict, j.exit_code) == ("not decided", 4)
    assert "some properties under tso on svm" in j.text()


def judge_kicked(diff: str, tree: Path, memory: str, most: int | None = None) -> lp.Judged:
    """The patch's verdict on svm, in a scenario that kicks."""
    scenario, limits = lp.make_scenario("kicked", KICKED), lp.Limits(max_states=most)
    return lp.judge(
        diff,
        tree=tree,
        arch="svm",
        choice=lp.Choice(memory=memory),
        decide=lambda c, _, how, __: lp.check(c, scenario, opaque=how, limits=limits),
    )

"""A patch is judged by what it changes: each kind of edit, carried over to the specification.

The C is in our own words: shorter than the kernel's, in its order, with what we leave out in it.
"""

from __future__ import annotations

import difflib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import loadput as lp

Run = Callable[..., subprocess.CompletedProcess[str]]
SVM = "arch/x86/kvm/svm/svm.c"
LOAD = """/* A vCPU is loaded. */
static void svm_vcpu_load(struct kvm_vcpu *vcpu, int cpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	struct svm_cpu_data *sd = per_cpu_ptr(&svm_data, cpu);

	if (vcpu->scheduled_out && !kvm_pause_in_guest(vcpu->kvm))
		shrink_ple_window(vcpu);

	if (sd->current_vmcb != svm->vmcb) {
		sd->current_vmcb = svm->vmcb;

		if (!cpu_feature_enabled(X86_FEATURE_IBPB_ON_VMEXIT))
			indirect_branch_prediction_barrier();
	}
	count_a_load(vcpu);
	if (kvm_vcpu_apicv_active(vcpu))
		avic_vcpu_load(vcpu, cpu);
}

static void svm_prepare_switch_to_guest(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	struct svm_cpu_data *sd = per_cpu_ptr(&svm_data, vcpu->cpu);

	if (sev_es_guest(vcpu->kvm))
		sev_es_unmap_ghcb(svm);

	if (svm->guest_state_loaded)
		return;

	vmsave(sd->save_area_pa);
	if (tsc_scaling)
		__svm_write_tsc_multiplier(vcpu->arch.tsc_scaling_ratio);

	if (likely(tsc_aux_uret_slot >= 0))
		kvm_set_user_return_msr(tsc_aux_uret_slot, svm->tsc_aux, -1ull);

	svm->guest_state_loaded = true;
}
"""
TRACE = '\tpr_debug("here");\n'
BARRIER = "\t\t\tindirect_branch_prediction_barrier();\n"
FEATURE = "\t\tif (!cpu_feature_enabled(X86_FEATURE_IBPB_ON_VMEXIT))\n"
SAVE = "\tvmsave(sd->save_area_pa);\n"
AVIC = "\tif (kvm_vcpu_apicv_active(vcpu))\n\t\tavic_vcpu_load(vcpu, cpu);\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A kernel tree of one file."""
    at = tmp_path / "linux" / SVM
    at.parent.mkdir(parents=True)
    at.write_text(LOAD)
    return tmp_path / "linux"


def diff(*changes: tuple[str, str], text: str = LOAD) -> str:
    new = text
    for old, to in changes:
        assert new.count(old) == 1, old
        new = new.replace(old, to)
    rows = (t.splitlines(keepends=True) for t in (text, new))
    return "".join(difflib.unified_diff(*rows, f"a/{SVM}", f"b/{SVM}"))


def judge(tree: Path, *changes: tuple[str, str], scenario: str = "one") -> lp.Judged:
    return lp.judge(diff(*changes), tree=tree, arch="svm", scenario=scenario, base="v6.12")


def new(j: lp.Judged) -> list[str]:
    """The properties with a violation that is new."""
    found = [p for x in j.judging.judged for e in x.explored for p in e.result.properties]
    return sorted(p.name for p in found if p.blame == "new with this change")


def carried(j: lp.Judged) -> list[str]:
    """What is another line in ours now."""
    (one,) = j.judging.judged
    lines = [ln for f in one.changes for c in f.carried for ln in c.diff()]
    return [f"{ln[0]} {' '.join(ln[1:].split())}" for ln in lines if ln[0] in "+-"]


def why(j: lp.Judged) -> list[str]:
    (one,) = j.judging.judged
    return [o.why for f in one.changes for o in f.outcomes if o.why]


# what is judged, and how


def test_a_statement_taken_out_is_taken_out_of_ours(tree: Path) -> None:
    j = judge(tree, (FEATURE + BARRIER, ""), scenario="shared")
    assert carried(j) == ["- indirect_branch_prediction_barrier()"]
    assert (j.verdict, j.exit_code, new(j)) == ("violated", 1, ["IBPB"])


def test_a_test_that_ours_takes_for_true_and_that_is_negated(tree: Path) -> None:
    j = judge(tree, (FEATURE, FEATURE.replace("!", "")), scenario="shared")
    assert carried(j) == ["- indirect_branch_prediction_barrier()"]
    assert new(j) == ["IBPB"]


def test_a_statement_that_moves(tree: Path) -> None:
    state = "\tsvm->guest_state_loaded = true;\n"
    j = judge(tree, (SAVE, ""), (state, SAVE + state))
    assert carried(j) == ["- vmsave(sd.save_area_pa)", "+ vmsave(sd.save_area_pa)"]
    assert (j.verdict, j.exit_code) == ("no property minds", 0)


def test_a_condition_that_gets_another_operand(tree: Path) -> None:
    old = "\tif (svm->guest_state_loaded)"
    j = judge(tree, (old, "\tif (svm->guest_state_loaded || vcpu->wants_to_run)"))
    assert carried(j) == [
        "- if svm.guest_state_loaded:",
        "+ if svm.guest_state_loaded or vcpu.wants_to_run:",
    ]
    assert j.exit_code == 1


def test_statements_put_under_a_condition_that_is_modelled(tree: Path) -> None:
    j = judge(tree, (SAVE, "\tif (vcpu->scheduled_out)\n\t" + SAVE))
    assert carried(j) == [
        "- vmsave(sd.save_area_pa)",
        "+ if vcpu.scheduled_out:",
        "+ vmsave(sd.save_area_pa)",
    ]
    assert "HOST-AREA-FRESH" in new(j)


def test_a_condition_outside_the_model_decides_and_is_named(tree: Path) -> None:
    j = judge(tree, (SAVE, "\tif (svm->is_special)\n\t" + SAVE))
    (one,) = j.judging.judged
    assert (j.verdict, j.exit_code, new(j)) == ("not decided", 4, [])
    (x,) = one.explored
    assert "HOST-AREA-FRESH" in x.rests_on and x.rests_on["HOST-AREA-FRESH"] == ["svm->is_special"]
    assert "it rests on what is not modelled" in j.text()


def test_an_argument_that_is_another(tree: Path) -> None:
    j = judge(tree, ("svm->tsc_aux, -1ull", "0, -1ull"))
    assert carried(j) == [
        "- kvm_set_user_return_msr(tsc_aux_uret_slot, svm.tsc_aux, -1)",
        "+ kvm_set_user_return_msr(tsc_aux_uret_slot, 0, -1)",
    ]


def test_a_new_field_is_a_field(tree: Path) -> None:
    """Set at the load, tested before the VMSAVE: the first entry goes without."""
    j = judge(
        tree,
        (
            "\tcount_a_load(vcpu);\n",
            "\tcount_a_load(vcpu);\n\tsvm->was_out = vcpu->scheduled_out;\n",
        ),
        (SAVE, "\tif (svm->was_out)\n\t" + SAVE),
    )
    assert "+ svm.was_out = vcpu.scheduled_out" in carried(j)
    assert (j.exit_code, "HOST-AREA-FRESH" in new(j)) == (1, True)


def test_a_function_that_the_patch_brings_is_read(tree: Path) -> None:
    helper = "static void save_host(struct svm_cpu_data *sd)\n{\n\tvmsave(sd->save_area_pa);\n}\n\n"
    head = "static void svm_prepare_switch_to_guest("
    j = judge(tree, (SAVE, "\tsave_host(sd);\n"), (head, helper + head))
    assert (j.verdict, j.exit_code) == ("changes nothing that is modelled", 0)


def test_what_stands_in_its_place_and_is_not_modelled_is_named(tree: Path) -> None:
    j = judge(tree, (SAVE, "\tsave_somewhere_else(sd);\n"))
    (x,) = j.judging.judged[0].explored
    assert (j.verdict, new(j)) == ("not decided", [])
    assert x.rests_on["HOST-AREA-FRESH"] == ["save_somewhere_else()"]


# what changes nothing, and what is not judged


@pytest.mark.parametrize(
    "line",
    [
        '\tpr_debug("here\\n");\n',
        "\ttrace_kvm_load(vcpu);\n",
        "\tlockdep_assert_preemption_disabled();\n",
        "\t++vcpu->stat.exits;\n",
        '\tVCPU_EVENT(vcpu, 3, "%s", "here");\n',
        "\t/* Why this is so. */\n",
    ],
)
def test_what_has_no_effect_changes_nothing(tree: Path, line: str) -> None:
    j = judge(tree, (SAVE, line + SAVE))
    assert j.exit_code == 0
    assert j.verdict in ("changes nothing that is modelled", "changes no code")
    assert not any(x.explored for x in j.judging.judged)


def test_what_the_specification_has_already_is_judged_against_ours_without_it(tree: Path) -> None:
    """A patch of old, on the tree as it was: the specification mirrors what came of it."""
    old = LOAD.replace(FEATURE + BARRIER, "")
    (tree / SVM).write_text(old)
    plain = BARRIER.removeprefix("\t")
    load = "\t\tsd->current_vmcb = svm->vmcb;\n"
    change = diff((load, load + plain), text=old)
    j = lp.judge(change, tree=tree, arch="svm", scenario="shared", base="v6.12")
    assert carried(j) == ["+ indirect_branch_prediction_barrier()"]
    assert (j.verdict, j.exit_code) == ("no property minds", 0)
    assert "no property minds; fixes IBPB (svm)" in " ".join(j.text().split())
    (tree / SVM).write_text(old.replace(load, load + plain))  # the tree has it too
    assert lp.judge(change, tree=tree, arch="svm", scenario="shared", base="v6.12").exit_code == 0


def test_what_makes_up_for_it_and_is_not_modelled_is_named(tree: Path) -> None:
    """In another function of the patch, and not a call alone."""
    count = "\tcount_a_load(vcpu);\n"
    j = judge(tree, (SAVE, ""), (count, "\tvcpu->kvm->arch.host->saved_at_load = 1;\n" + count))
    (x,) = j.judging.judged[0].explored
    assert (j.verdict, x.rests_on["HOST-AREA-FRESH"]) == ("not decided", ["saved_at_load"])


SKIP = "\tif (vcpu->scheduled_out)\n\t\tgoto out;\n"


def test_a_jump_goes_to_the_label_that_the_patch_brings(tree: Path) -> None:
    count = "\tcount_a_load(vcpu);\n"
    test = "\tif (sd->current_vmcb != svm->vmcb) {\n"
    j = judge(tree, (test, SKIP + test), (count, "out:\n" + count), scenario="shared")
    assert carried(j) == ["+ if vcpu.scheduled_out:", "+ goto out", "+ out:"]
    assert new(j) == ["IBPB"]


def test_an_edit_that_leaves_ours_without_a_meaning_is_not_judged(tree: Path) -> None:
    """The jump goes nowhere."""
    j = judge(tree, (AVIC, SKIP + AVIC), (SAVE, ""))
    assert (j.verdict, "HOST-AREA-FRESH" in new(j)) == ("violated", True)
    assert any("ours has no meaning: goto" in w for w in why(j))


def test_a_removed_function_of_another_file_is_not_ours(tree: Path) -> None:
    """As x86's kvm_vcpu_halt() made room for the common one of that name."""
    text = LOAD + "\nint kvm_vcpu_halt(struct kvm_vcpu *vcpu)\n{\n\treturn stop(vcpu);\n}\n"
    (tree / SVM).write_text(text)
    lost = text[len(LOAD) :]
    j = lp.judge(
        diff((lost, ""), (SAVE, ""), text=text), tree=tree, arch="svm", scenario="one", base="v6.12"
    )
    assert (j.verdict, "HOST-AREA-FRESH" in new(j)) == ("violated", True)


def test_what_ours_leaves_out_is_not_judged_and_says_what(tree: Path) -> None:
    j = judge(tree, ("\tcount_a_load(vcpu);\n", ""))
    assert (j.verdict, j.exit_code) == ("not judged", 4)
    assert why(j) == ["the specification leaves out count_a_load()"]
    assert j.text().startswith("verdict       NOT JUDGED")


ASM = """\tasm volatile(ALTERNATIVE("nop", FLUSH_L1(%0), X86_BUG_L1TF)
\t\t     : : "r" (svm->flush) : "memory");
"""
EXPR = "\tif (({ bool on = hypervisor_is(HV); on; })) {\n\t\tcount(vcpu);\n"


def test_a_change_inside_of_what_is_no_c_here_is_not_judged(tree: Path) -> None:
    """Assembly with macros in it is one statement, and all of its text counts."""
    text = LOAD.replace(SAVE, ASM + SAVE)
    (tree / SVM).write_text(text)
    same = lp.judge(diff((ASM, ASM + TRACE), text=text), tree=tree, arch="svm", base="v6.12")
    assert (same.verdict, same.exit_code) == ("changes nothing that is modelled", 0)
    j = lp.judge(diff(("X86_BUG_L1TF", "X86_BUG_MDS"), text=text), tree=tree, arch="svm")
    assert (j.verdict, j.exit_code) == ("not judged", 4)


def test_what_stands_under_a_test_that_is_no_c_here_is_judged(tree: Path) -> None:
    text = LOAD.replace(SAVE, f"{EXPR}\t}}\n{SAVE}")
    (tree / SVM).write_text(text)
    for change, verdict in (
        ((SAVE, ""), "violated"),
        (("hypervisor_is(HV)", "hypervisor_is(KVM)"), "not judged"),
        (("\t\tcount(vcpu);\n", "\t\tcount(vcpu);\n\t" + TRACE), "changes nothing"),
        (("\t\tcount(vcpu);\n", "\t\tvcpu->mode = IN_GUEST_MODE;\n"), "no property minds"),
    ):
        j = lp.judge(diff(change, text=text), tree=tree, arch="svm", scenario="one", base="v6.12")
        assert j.verdict.startswith(verdict), change


def test_what_follows_a_return_under_a_guard_is_not_reached(tree: Path) -> None:
    text = LOAD.replace("\tvmsave(", "\tguard(preempt)();\n\tvmsave(")
    end = "\tsvm->guest_state_loaded = true;\n}"
    text = text.replace(end, f"{end[:-1]}\treturn;\n}}")
    (tree / SVM).write_text(text)
    change = ("\treturn;\n}", f"\treturn;\n{TRACE}}}")
    j = lp.judge(diff(change, text=text), tree=tree, arch="svm", base="v6.12")
    assert j.verdict == "changes nothing that is modelled"


def test_past_what_ours_leaves_out_is_not_judged(tree: Path) -> None:
    j = judge(tree, ("\tcount_a_load(vcpu);\n" + AVIC, AVIC + "\tcount_a_load(vcpu);\n"))
    assert (j.verdict, j.exit_code) == ("not judged", 4)


def test_a_part_is_judged_and_the_report_says_how_much(tree: Path) -> None:
    j = judge(tree, (SAVE, ""), ("\tcount_a_load(vcpu);\n", ""))
    assert "judged        1 of 2 changed functions, 1 of 2 edits" in j.text()
    assert j.exit_code == 1


def test_what_no_scenario_runs_is_not_judged(tree: Path) -> None:
    j = judge(tree, (AVIC, AVIC.replace("avic_vcpu_load(vcpu, cpu)", "avic_vcpu_put(vcpu)")))
    assert (j.verdict, j.exit_code) == ("not judged", 4)
    assert "scenario one does not run what it changes" in " ".join(j.text().split())


def test_a_driver_function_is_of_the_architecture_that_mirrors_it_from_there() -> None:
    from loadput.check.scope import scope_of
    from loadput.lang.cfront import CFunction

    def at(path: str) -> CFunction:
        return CFunction("update_pmuserenr", "", (), path=path)

    there = scope_of(at("drivers/perf/arm_pmuv3.c"))
    assert there.covers("arm64") and there.covers("arm64-nvhe") and not there.covers("riscv")
    assert scope_of(at("drivers/gpu/of_that_name.c")).why == "drivers/"


def test_the_scenario_that_it_is_about_is_chosen() -> None:
    from loadput.check.scenes import switches

    assert "avic" in switches(lp.Choice("svm"), ["avic_vcpu_load"])
    assert "enable_apicv" in switches(lp.Choice("vmx"), ["pi_enable_wakeup_handler"])


def test_each_patch_on_what_the_one_before_left(tree: Path, tmp_path: Path) -> None:
    """The first takes the barrier out, the second puts it back where it was."""
    (tmp_path / "p").mkdir()
    first = LOAD.replace(FEATURE + BARRIER, "")
    (tmp_path / "p/0001-out.patch").write_text(diff((FEATURE + BARRIER, "")))
    rows = (t.splitlines(keepends=True) for t in (first, LOAD))
    back = "".join(difflib.unified_diff(*rows, f"a/{SVM}", f"b/{SVM}"))
    (tmp_path / "p/0002-back.patch").write_text(back)
    j = lp.judge(tmp_path / "p", tree=tree, arch="svm", scenario="shared", base="v6.12")
    first_, second = j.judging.judged
    assert (first_.verdict, second.verdict) == ("violated", "no property minds")
    assert [p.blame for p in second.explored[0].result.properties if p.blame] == ["fixed by it"]


def test_a_range_of_commits(tree: Path, loadput: Run) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *words], cwd=tree, check=True, capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "base")
    for subject, old, to in (
        ("out", FEATURE + BARRIER, ""),
        ("said", SAVE, '\tpr_debug("x");\n' + SAVE),
    ):
        text = (tree / SVM).read_text()
        (tree / SVM).write_text(text.replace(old, to))
        git("commit", "-qam", subject)
    (tree / "README").write_text("x")
    git("add", "-A")
    git("commit", "-qm", "docs")
    words = ("check", "--repo", tree, "HEAD~3..HEAD", "--arch", "svm", "--scenario", "shared")
    done = loadput(*words, "--base", "v6.12", "--json", "-")
    out: dict[str, Any] = json.loads(done.stdout)
    got = [(c["subject"], c["verdict"]) for c in out["commits"]]
    assert got == [("out", "violated"), ("said", "changes nothing that is modelled")]
    assert done.returncode == 1
    bad = loadput("check", "--repo", tree, "nowhere..HEAD")
    assert (bad.returncode, "LP0237" in bad.stderr) == (2, True)


def test_what_another_configuration_has_is_not_judged(tree: Path) -> None:
    arm = "#ifdef CONFIG_KVM_SMM\n\tclear_smm(svm);\n#endif\n"
    off = arm.replace("CONFIG_KVM_SMM", "CONFIG_DEBUG_KVM_NEVER")
    text = LOAD.replace(SAVE, off + SAVE)
    (tree / SVM).write_text(text)
    for change in (("clear_smm(svm)", "svm->guest_state_loaded = false"), (off, "")):
        j = lp.judge(diff(change, text=text), tree=tree, arch="svm", base="v6.12")
        assert (j.verdict, j.exit_code) == ("not judged", 4)
        assert "under an #if of another" in " ".join(j.text().split())
    j = lp.judge(diff((SAVE, SAVE + TRACE), text=text), tree=tree, arch="svm", base="v6.12")
    assert j.verdict == "changes nothing that is modelled"
    j = lp.judge(diff((SAVE, ""), (off, ""), text=text), tree=tree, arch="svm", base="v6.12")
    assert (j.verdict, j.exit_code) == ("violated", 1)
    assert "what is under an #if of another" in " ".join(j.text().split())


def test_what_stays_only_where_an_unknown_symbol_is_not_set_is_not_judged(tree: Path) -> None:
    (tree / SVM).write_text(LOAD)
    arm = f"#ifndef CONFIG_DEBUG_KVM_NEVER\n{SAVE}#endif\n"
    j = lp.judge(diff((SAVE, arm)), tree=tree, arch="svm", base="v6.12")
    assert (j.verdict, j.exit_code) == ("not judged", 4)
    assert "under an #if of another" in " ".join(j.text().split())
    arm = arm.replace("ifndef CONFIG_DEBUG_KVM_NEVER", "ifdef CONFIG_SMP")
    j = lp.judge(diff((SAVE, arm)), tree=tree, arch="svm", base="v6.12")
    assert j.verdict == "changes nothing that is modelled"


def test_an_arm_of_an_if_that_moves_whole_is_the_same_arm(tree: Path) -> None:
    off = "#ifdef CONFIG_DEBUG_KVM_NEVER\n\tclear_smm(svm);\n#endif\n"
    text = LOAD.replace(SAVE, off + SAVE)
    (tree / SVM).write_text(text)
    helper = f"static void into(struct vcpu_svm *svm)\n{{\n{off}}}\n\n"
    begin = text[: text.index("\n")]
    for new, said in ((helper, 0), (helper.replace("clear", "set"), 4)):
        j = lp.judge(
            diff((off, "\tinto(svm);\n"), (begin, new + begin), text=text),
            tree=tree,
            arch="svm",
            base="v6.12",
        )
        assert j.exit_code == said, j.text()


@pytest.mark.parametrize("wrap", ["", "From: A <a@b.c>\nSubject: [PATCH] two\n\nText.\n---\n"])
def test_a_file_that_is_there_twice_is_changed_in_turn(tree: Path, wrap: str) -> None:
    """Without `diff --git` lines, as diff(1) writes it; in one mail it is one patch."""
    first = LOAD.replace(FEATURE + BARRIER, "")
    rows = first.replace(SAVE, SAVE + TRACE).splitlines(keepends=True)
    then = difflib.unified_diff(first.splitlines(keepends=True), rows, f"a/{SVM}", f"b/{SVM}")
    text = wrap + diff((FEATURE + BARRIER, "")) + "".join(then) + ("-- \n2.40\n" if wrap else "")
    j = lp.judge(text, tree=tree, arch="svm", scenario="shared", base="v6.12")
    assert (new(j), j.exit_code) == (["IBPB"], 1)
    assert len(j.judging.patches) == (1 if wrap else 2)


def test_a_hunk_that_stands_elsewhere_says_so(tree: Path) -> None:
    (tree / SVM).write_text("\n" * 7 + LOAD)
    j = judge(tree, (FEATURE + BARRIER, ""), scenario="shared")
    assert new(j) == ["IBPB"]
    assert "hunk 1 applies 7 lines below where it says" in " ".join(j.text().split())

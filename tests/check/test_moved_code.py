"""Code that only moved, and names that are only others, change nothing; what is unknown is told.

The C is in our own words: shorter than the kernel's, in its order.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

import loadput as lp
from loadput.check.carried import shared_by
from loadput.link.program import specification
from loadput.report.judged import render_judging

SVM, HOST = "arch/x86/kvm/svm/svm.c", "arch/x86/kvm/svm/svm.h"
HEADER = """struct vcpu_svm {
	struct kvm_vcpu vcpu;
	bool guest_state_loaded;
};
"""
C = """static void svm_vcpu_load(struct kvm_vcpu *vcpu, int cpu)
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
}

static void save_host(struct svm_cpu_data *sd)
{
	vmsave(sd->save_area_pa);
}

static void svm_prepare_switch_to_guest(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	struct svm_cpu_data *sd = per_cpu_ptr(&svm_data, vcpu->cpu);

	if (svm->guest_state_loaded)
		return;

	save_host(sd);
	svm->guest_state_loaded = true;
}
"""
SWITCH = """	if (sd->current_vmcb != svm->vmcb) {
		sd->current_vmcb = svm->vmcb;

		if (!cpu_feature_enabled(X86_FEATURE_IBPB_ON_VMEXIT))
			indirect_branch_prediction_barrier();
	}
"""
LOAD = "static void svm_vcpu_load("
OF_VMCB = "static void switch_vmcb(struct vcpu_svm *vmcb_of, int cpu)\n{\n"
SD = "	struct svm_cpu_data *sd = per_cpu_ptr(&svm_data, cpu);\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for path, text in ((SVM, C), (HOST, HEADER)):
        at = tmp_path / "linux" / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text)
    return tmp_path / "linux"


def diff(path: str, text: str, *changes: tuple[str, str]) -> str:
    new = text
    for old, to in changes:
        assert old in new, old
        new = new.replace(old, to)
    rows = (t.splitlines(keepends=True) for t in (text, new))
    return "".join(difflib.unified_diff(*rows, f"a/{path}", f"b/{path}"))


def judge(tree: Path, *changes: tuple[str, str], header: str = "") -> lp.Judged:
    text = header + diff(SVM, C, *changes)
    return lp.judge(text, tree=tree, arch="svm", scenario="shared", base="v6.12")


def first(j: lp.Judged) -> str:
    """The report's first sentence."""
    text = render_judging(j.judging, "")
    head = text.split("\njudged")[0].split("\ninput")[0]
    return " ".join(head.removeprefix("verdict").split())


SAME = ("changes nothing that is modelled", 0)


def test_code_that_moves_into_a_helper_changes_nothing(tree: Path) -> None:
    inside = SWITCH.replace("svm->", "vmcb_of->")
    j = judge(
        tree,
        (SWITCH, "	switch_vmcb(svm, cpu);\n"),
        (LOAD, f"{OF_VMCB}{SD}\n{inside}}}\n\n{LOAD}"),
    )
    assert (j.verdict, j.exit_code) == SAME


def test_a_helper_with_what_was_called_before_is_the_same(tree: Path) -> None:
    """What stays in the file and is called still, from the helper, is not looked into."""
    body = C[C.index("static void svm_prepare") :].split("\n", 1)[1]
    of = "static void prepare(struct kvm_vcpu *vcpu, int cpu)\n"
    head = "static void svm_prepare_switch_to_guest(struct kvm_vcpu *vcpu)\n"
    j = judge(tree, (head + body, f"{of}{body}\n{head}{{\n	prepare(vcpu, vcpu->cpu);\n}}\n"))
    assert (j.verdict, j.exit_code) == SAME


WAKE = """bool kvm_vcpu_wake_up(struct kvm_vcpu *vcpu)
{
	if (!__kvm_vcpu_wake_up(vcpu))
		return false;
	WRITE_ONCE(vcpu->ready, true);
	return true;
}
"""


def test_a_return_does_not_go_without_the_one_in_its_place(tree: Path) -> None:
    """What a helper gives that nobody can read in its place is not judged, and nothing is lost."""
    many = "".join(f"	count_a_wakeup(vcpu, {i});\n" for i in range(80))
    body = WAKE.split("\n", 1)[1].replace("	return true", f"{many}	return true")
    body = body.replace(
        "	if (!",
        "	for (;;) {\n		if (!again(vcpu))\n			return true;\n	}\n	if (!",
    )
    new = f"static bool try_wake(struct kvm_vcpu *vcpu)\n{body}\n"
    new += WAKE.replace("	return true;", "	return try_wake(vcpu) && checked(vcpu);")
    path = "virt/kvm/kvm_main.c"
    (tree / path).parent.mkdir(parents=True)
    (tree / path).write_text(WAKE)
    j = lp.judge(diff(path, WAKE, (WAKE, new)), tree=tree, arch="svm", scenario="one", base="v6.12")
    assert j.exit_code == 4 and "NEW VIOLATION" not in j.text()


def test_a_helper_that_returns_early(tree: Path) -> None:
    body = """	if (sd->current_vmcb == vmcb_of->vmcb)
		return;

	sd->current_vmcb = vmcb_of->vmcb;
	indirect_branch_prediction_barrier();
"""
    j = judge(
        tree, (SWITCH, "	switch_vmcb(svm, cpu);\n"), (LOAD, f"{OF_VMCB}{SD}\n{body}}}\n\n{LOAD}")
    )
    # The test of the CPU's feature goes: of that nobody has judged.
    assert (j.verdict, j.exit_code) == ("no property minds", 4)


def test_a_helper_that_forgets_what_it_took_over(tree: Path) -> None:
    body = "	sd->current_vmcb = vmcb_of->vmcb;\n"
    j = judge(
        tree, (SWITCH, "	switch_vmcb(svm, cpu);\n"), (LOAD, f"{OF_VMCB}{SD}\n{body}}}\n\n{LOAD}")
    )
    assert first(j) == "NEW VIOLATION: IBPB (svm)"


def test_code_that_moves_out_of_a_helper_changes_nothing(tree: Path) -> None:
    helper = C[C.index("static void save_host") : C.index("static void svm_prepare")]
    j = judge(tree, (helper, ""), ("	save_host(sd);\n", "	vmsave(sd->save_area_pa);\n"))
    assert (j.verdict, j.exit_code) == SAME


def test_a_change_inside_a_helper_is_one_of_what_calls_it(tree: Path) -> None:
    state = "	svm->guest_state_loaded = true;\n"
    j = judge(
        tree, ("	vmsave(sd->save_area_pa);\n", "	nothing_yet(sd);\n"), (state, state + "\n")
    )
    assert j.exit_code != 0


def test_what_nobody_knows_in_the_place_of_what_is_taken_out_is_not_decided(tree: Path) -> None:
    j = judge(tree, (SWITCH, "	switch_it_somewhere_else(svm, cpu);\n"))
    assert j.exit_code == 4
    assert first(j).startswith("not decided: ")
    assert "switch_it_somewhere_else()" in first(j)


def test_a_local_under_another_name_changes_nothing(tree: Path) -> None:
    body = C[C.index(LOAD) : C.index("static void save_host")]
    j = judge(tree, (body, body.replace("svm->", "s->").replace("*svm =", "*s =")))
    assert (j.verdict, j.exit_code) == SAME


def test_a_view_of_the_vcpu_that_is_new_is_the_one_that_is_modelled(tree: Path) -> None:
    body = C[C.index("static void svm_prepare") :]
    new = body.replace("svm->", "half->").replace(
        "vcpu_svm *svm = to_svm(", "half *half = to_half("
    )
    j = judge(tree, (body, new))
    assert (j.verdict, j.exit_code) == SAME


def test_a_function_under_another_name_changes_nothing(tree: Path) -> None:
    j = judge(tree, ("save_host(", "save_of_host("))
    assert (j.verdict, j.exit_code) == SAME


def test_a_field_under_another_name_changes_nothing(tree: Path) -> None:
    names = ("guest_state_loaded", "guest_state_is_here")
    j = judge(tree, names, header=diff(HOST, HEADER, names))
    assert (j.verdict, j.exit_code) == SAME


def test_another_field_is_no_other_name(tree: Path) -> None:
    """One test reads the new name, one store has the old: two fields."""
    j = judge(tree, ("if (svm->guest_state_loaded)", "if (svm->guest_state_is_here)"))
    assert j.exit_code != 0


def test_a_statement_in_a_new_else_is_in_the_else_of_ours(tree: Path) -> None:
    old = "		shrink_ple_window(vcpu);\n"
    j = judge(tree, (old, f"{old}	else\n		vcpu->scheduled_out = false;\n"))
    (one,) = j.judging.judged
    (c,) = [c for f in one.changes for c in f.carried]
    assert [ln[1:].strip() for ln in c.diff() if ln[0] == "+"] == [
        "else:",
        "vcpu.scheduled_out = False",
    ]


def test_the_first_sentence_says_what_is_not_judged(tree: Path) -> None:
    j = judge(tree, ("	count_a_load(vcpu);\n", "	count_it(vcpu);\n"))
    assert first(j) == ("NOT JUDGED: the specification leaves out count_a_load(), count_it()")
    assert j.exit_code == 4


def test_where_a_part_is_judged_the_first_sentence_says_which_is_not(tree: Path) -> None:
    state = "	svm->guest_state_loaded = true;\n"
    j = judge(
        tree,
        ("	count_a_load(vcpu);\n", ""),
        (state, state + "	vcpu->scheduled_out = false;\n"),
    )
    assert first(j).endswith("not all of it is judged: the specification leaves out count_a_load()")


@pytest.mark.parametrize(
    "old, to",
    [
        ("if (svm->guest_state_loaded)", "if (likely(svm->guest_state_loaded))"),
        ("	save_host(sd);\n", "	seen = true;\n	save_host(sd);\n"),
    ],
)
def test_hints_and_dead_locals_change_nothing(tree: Path, old: str, to: str) -> None:
    local = "	struct svm_cpu_data *sd = per_cpu_ptr(&svm_data, vcpu->cpu);\n"
    j = judge(tree, (old, to), (local, "	bool seen;\n" + local))
    assert (j.verdict, j.exit_code) == SAME


def test_a_function_that_moves_to_a_header_changes_nothing(tree: Path) -> None:
    helper = C[C.index("static void save_host") : C.index("static void svm_prepare")]
    there = diff(HOST, HEADER, ("};\n", "};\n\n" + helper.replace("static", "static inline")))
    j = judge(tree, (helper, ""), header=there)
    assert (j.verdict, j.exit_code) == SAME


def test_a_break_out_of_a_loop_that_ours_goes_round_once_is_not_judged(tree: Path) -> None:
    """The C goes round, ours does not: what leaves the loop has no place there."""
    loop = C.replace(
        "	save_host(sd);\n", "	do {\n		save_host(sd);\n	} while (again(sd));\n"
    )
    (tree / SVM).write_text(loop)
    old = "		save_host(sd);\n"
    text = diff(
        SVM, loop, (old, old + "		if (svm->guest_state_loaded)\n			break;\n")
    )
    j = lp.judge(text, tree=tree, arch="svm", scenario="shared", base="v6.12")
    assert (j.verdict, j.exit_code) == ("not judged", 4)


def test_a_local_that_has_the_name_of_something_modelled_is_still_a_local(tree: Path) -> None:
    """``avic`` is a constant of the model."""
    old = "	save_host(sd);\n"
    j = judge(
        tree, (old, old + "	struct thing *avic = find_it(vcpu);\n\n	avic->count = 1;\n")
    )
    assert j.verdict == "not judged"
    assert "avic__c" not in first(j)


def test_a_header_that_only_declares_is_said_to_change_no_body(tree: Path) -> None:
    text = diff(HOST, HEADER, ("};\n", "};\n\nvoid a_thing(struct kvm_vcpu *vcpu);\n"))
    j = lp.judge(text, tree=tree, arch="svm", scenario="shared", base="v6.12")
    assert (first(j), j.exit_code) == ("NOT JUDGED: no body of a function changes here", 4)


def test_a_part_that_several_functions_share_is_not_changed_for_one_of_them() -> None:
    """What ours has once, and calls from each, stays as it is where one of them changes."""
    defs, _ = specification(lp.Choice("s390", release="v6.12"))
    shared = shared_by("clear_kicked", "vcpu_pre_run", defs)
    assert shared == "kvm_arch_vcpu_runnable"
    assert shared_by("__unset_cpu_idle", "__unset_cpu_idle", defs) == ""

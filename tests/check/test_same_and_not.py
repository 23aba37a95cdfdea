"""What comes to the same changes nothing; what only seems to have a part in ours is not judged.

The C is in our own words: shorter than the kernel's, in its order.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

import loadput as lp
from loadput.base.errors import LoadputError
from loadput.report.judged import render_judging

SVM, MAIN, HOST = "arch/x86/kvm/svm/svm.c", "virt/kvm/kvm_main.c", "include/linux/kvm_host.h"
C = """static void keep_host(struct svm_cpu_data *sd, struct vcpu_svm *svm, int way)
{
	if (svm->guest_state_loaded)
		return;

	vmsave(sd->save_area_pa);
	svm->guest_state_loaded = true;
}

static void svm_prepare_switch_to_guest(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	struct svm_cpu_data *sd = per_cpu_ptr(&svm_data, vcpu->cpu);

	keep_host(sd, svm, 1);
}

static void svm_handle_exit_irqoff(struct kvm_vcpu *vcpu)
{
	if (to_svm(vcpu)->vmcb->control.exit_code == SVM_EXIT_INTR)
		vcpu->arch.at_instruction_boundary = true;
}

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
}
"""
WAKE = """bool kvm_vcpu_wake_up(struct kvm_vcpu *vcpu)
{
	if (__kvm_vcpu_wake_up(vcpu)) {
		WRITE_ONCE(vcpu->ready, true);
		return true;
	}

	return false;
}
"""
INLINE = """static inline bool __kvm_vcpu_wake_up(struct kvm_vcpu *vcpu)
{
	return !!rcuwait_wake_up(kvm_arch_vcpu_get_wait(vcpu));
}
"""
SAME, NOT_JUDGED = ("changes nothing that is modelled", 0), ("not judged", 4)
HEAD = "static void keep_host(struct svm_cpu_data *sd, struct vcpu_svm *svm, int way)\n"
CALL = "	keep_host(sd, svm, 1);\n"
COUNT = "	count_a_load(vcpu);\n"
INTR = """	if (to_svm(vcpu)->vmcb->control.exit_code == SVM_EXIT_INTR)
		vcpu->arch.at_instruction_boundary = true;
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for path, text in ((SVM, C), (MAIN, WAKE), (HOST, INLINE)):
        at = tmp_path / "linux" / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text)
    return tmp_path / "linux"


def diff(path: str, text: str, new: str) -> str:
    rows = (t.splitlines(keepends=True) for t in (text, new))
    return "".join(difflib.unified_diff(*rows, f"a/{path}", f"b/{path}"))


def judge(
    tree: Path, *changes: tuple[str, str], path: str = SVM, text: str = C, release: str = "v6.12"
) -> lp.Judged:
    (tree / path).write_text(text)
    new = text
    for old, to in changes:
        assert old in new, old
        new = new.replace(old, to)
    return lp.judge(diff(path, text, new), tree=tree, arch="svm", scenario="one", base=release)


def said(j: lp.Judged) -> str:
    return " ".join(render_judging(j.judging, "").split())


def test_a_parameter_that_nobody_reads_may_go(tree: Path) -> None:
    j = judge(tree, (HEAD, HEAD.replace(", int way", "")), (CALL, "	keep_host(sd, svm);\n"))
    assert (j.verdict, j.exit_code) == SAME


def test_a_parameter_that_every_call_gives_from_another_may_go(tree: Path) -> None:
    of_vcpu = "static void keep_host(struct kvm_vcpu *vcpu, int way)\n"
    locals_ = "{\n	struct vcpu_svm *svm = to_svm(vcpu);\n"
    sd = "	struct svm_cpu_data *sd = per_cpu_ptr(&svm_data, vcpu->cpu);\n\n"
    j = judge(
        tree,
        (HEAD + "{\n", of_vcpu + locals_ + sd),
        (CALL, "	keep_host(vcpu, 1);\n"),
    )
    assert (j.verdict, j.exit_code) == SAME


def test_a_parameter_that_two_calls_give_otherwise_stays(tree: Path) -> None:
    with_host = (
        C.replace(HEAD, HEAD.replace("int way", "struct svm_cpu_data *of"))
        .replace("vmsave(sd->", "vmsave(of->")
        .replace(CALL, "	keep_host(sd, svm, sd);\n")
    )
    other = "	keep_host(sd, svm, per_cpu_ptr(&svm_data, 1));\n	count_a_load(vcpu);\n"
    text = with_host.replace(COUNT, other)
    head = HEAD.replace("int way", "struct svm_cpu_data *of")
    j = judge(
        tree,
        (head, head.replace(", struct svm_cpu_data *of", "")),
        ("vmsave(of->", "vmsave(sd->"),
        ("keep_host(sd, svm, sd)", "keep_host(sd, svm)"),
        ("keep_host(sd, svm, per_cpu_ptr(&svm_data, 1))", "keep_host(sd, svm)"),
        text=text,
    )
    assert j.verdict != SAME[0]


@pytest.mark.parametrize(
    "now",
    [
        "	if (rcuwait_wake_up(kvm_arch_vcpu_get_wait(vcpu))) {\n",
        "	struct rcuwait *at;\n\n	at = kvm_arch_vcpu_get_wait(vcpu);\n"
        "	if (rcuwait_wake_up(at)) {\n",
    ],
)
def test_what_a_function_of_ours_does_may_stand_in_its_place(tree: Path, now: str) -> None:
    old = "	if (__kvm_vcpu_wake_up(vcpu)) {\n"
    j = judge(tree, (old, now), path=MAIN, text=WAKE)
    assert (j.verdict, j.exit_code) == SAME


def test_what_ours_does_may_go_where_all_that_called_it_does_it_now(tree: Path) -> None:
    now = "	if (rcuwait_wake_up(kvm_arch_vcpu_get_wait(vcpu))) {\n"
    gone = diff(
        HOST,
        INLINE,
        "static inline bool an_other(struct kvm_vcpu *vcpu)\n{\n	return false;\n}\n",
    )
    both = gone + diff(MAIN, WAKE, WAKE.replace("	if (__kvm_vcpu_wake_up(vcpu)) {\n", now))
    j = lp.judge(both, tree=tree, arch="svm", scenario="one", base="v6.12")
    assert (j.verdict, j.exit_code) == SAME


def test_a_question_that_a_patch_brings_and_only_others_ask_changes_nothing(tree: Path) -> None:
    asks = (
        "static bool is_loaded(struct vcpu_svm *svm)\n{\n	return svm->guest_state_loaded;\n}\n\n"
    )
    other = "static bool is_out(struct kvm_vcpu *vcpu)\n{\n	return vcpu->scheduled_out;\n}\n\n"
    j = judge(
        tree, (HEAD, asks + other + HEAD), ("if (svm->guest_state_loaded)", "if (is_loaded(svm))")
    )
    assert (j.verdict, j.exit_code) == SAME


@pytest.mark.parametrize(
    "new, why",
    [
        (
            "	if (sev_guest(vcpu->kvm))\n		a_thing(vcpu);\n",
            "takes 'sev_guest(vcpu.kvm)' for false: no SEV guest",
        ),
        (
            "	if (is_sev_es_guest(vcpu))\n		vmsave(0);\n",
            "takes 'is_sev_es_guest(vcpu)' for false: no SEV-ES guest",
        ),
        ("	WARN_ON_ONCE(a_count(vcpu) > 3);\n", "leaves out WARN_ON_ONCE(), a_count()"),
        ("	if (is_guest_mode(vcpu))\n		a_thing(vcpu);\n", "leaves out is_guest_mode()"),
    ],
)
def test_what_is_not_modelled_is_not_judged(tree: Path, new: str, why: str) -> None:
    j = judge(tree, (COUNT, COUNT + new))
    assert (j.verdict, j.exit_code) == NOT_JUDGED
    assert why in said(j)


def test_a_test_that_is_always_true_here_is_not_judged(tree: Path) -> None:
    feature = "		if (!cpu_feature_enabled(X86_FEATURE_IBPB_ON_VMEXIT))\n	"
    j = judge(tree, (feature, ""))
    assert (j.verdict, j.exit_code) == NOT_JUDGED
    assert "X86_FEATURE_IBPB_ON_VMEXIT)' for true: a CPU that has" in said(j)


def test_a_test_is_not_taken_away_without_the_one_that_stands_for_it(tree: Path) -> None:
    switch = """	switch (to_svm(vcpu)->vmcb->control.exit_code) {
	case SVM_EXIT_INTR:
		vcpu->arch.at_instruction_boundary = true;
		break;
	default:
		break;
	}
"""
    j = judge(tree, (INTR, switch))
    assert (j.verdict, j.exit_code) == NOT_JUDGED


def test_a_jump_is_not_laid_before_what_ours_has_behind_it(tree: Path) -> None:
    j = judge(tree, (COUNT, f"again:\n{COUNT}	goto again;\n"))
    assert j.exit_code == 4
    assert "what the specification has behind it would never run" in said(j)


def test_a_local_that_says_where_something_is_writes_nothing(tree: Path) -> None:
    j = judge(tree, (COUNT, "	int was;\n\n	was = vcpu->cpu;\n	tell(was);\n" + COUNT))
    assert (j.verdict, j.exit_code) == NOT_JUDGED


def test_what_is_taken_out_and_still_called_here_is_not_judged(tree: Path) -> None:
    gone = C[C.index("static void svm_vcpu_load") :]
    j = judge(tree, (gone, "static void a_vcpu_load(struct kvm_vcpu *v)\n{\n	count_it(v);\n}\n"))
    assert (j.verdict, j.exit_code) == NOT_JUDGED
    assert "it is taken out, and" in said(j)


LOAD = ("svm_vcpu_load(", "a_vcpu_load(")
BARRIER = "			indirect_branch_prediction_barrier();\n"


def test_a_function_under_another_name_is_the_same(tree: Path) -> None:
    j = judge(tree, LOAD)
    assert (j.verdict, j.exit_code) == SAME
    assert "a_vcpu_load() is svm_vcpu_load() under another name" in said(j)


def test_a_function_under_another_name_is_judged_by_what_else_it_does(tree: Path) -> None:
    j = judge(tree, LOAD, (BARRIER, "			count_a_load(vcpu);\n"))
    assert j.exit_code == 4 and "it is taken out" not in said(j)
    j = judge(tree, LOAD, ("sd->current_vmcb = svm->vmcb;\n", ""))
    assert "1 of 1 changed functions, 1 of 1 edits" in said(j)


MODES = """#define KVM_A_LIMIT 8

enum {
	OUTSIDE_GUEST_MODE,
	IN_GUEST_MODE,
	EXITING_GUEST_MODE,
};

static inline int kvm_vcpu_exiting_guest_mode(struct kvm_vcpu *vcpu)
{
	return cmpxchg(&vcpu->mode, IN_GUEST_MODE, EXITING_GUEST_MODE);
}
"""


def test_a_constant_under_another_name_is_the_same(tree: Path) -> None:
    as_modes = {"path": HOST, "text": MODES}
    j = judge(tree, ("IN_GUEST_MODE", "VCPU_IN_GUEST"), **as_modes)
    assert (j.verdict, j.exit_code) == SAME
    twisted = (("IN_GUEST_MODE", "VCPU_IN_GUEST"), ("EXITING_GUEST_MODE);", "VCPU_IN_GUEST);"))
    j = judge(tree, *twisted, **as_modes)
    assert "changes what is modelled" in said(j)
    assert "1 of 1 changed functions, 1 of 1 edits" in said(j)


def test_a_constant_that_somebody_still_speaks_of_has_no_other_name(tree: Path) -> None:
    """One is taken out, another brought: it is not told which stands for which."""
    uses = ("GUEST_MODE, EXITING_GUEST_MODE", "GUEST_MODE, VCPU_IN_GUEST")
    j = judge(tree, ("	IN_GUEST_MODE,", "	VCPU_IN_GUEST,"), uses, path=HOST, text=MODES)
    assert "any value VCPU_IN_GUEST" in said(j)


def test_a_new_name_stays_one_in_the_patches_that_follow(tree: Path) -> None:
    (tree / SVM).write_text(C)
    second = C.replace(*LOAD)
    third = second.replace("		sd->current_vmcb = svm->vmcb;\n", "")
    mails = [
        f"From 0 Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: [PATCH {k}/2] {k}\n\n---\n{d}"
        for k, d in enumerate((diff(SVM, C, second), diff(SVM, second, third)), 1)
    ]
    text = "\n".join(mails)
    j = lp.judge(text, tree=tree, arch="svm", scenario="one", base="v6.12")
    assert "svm_vcpu_load: changes nothing that is modelled" in said(j)
    assert "a_vcpu_load() is svm_vcpu_load() under another name" in said(j)
    assert "1 of 1 changed functions, 1 of 1 edits" in said(j)


def test_a_field_that_the_kernel_has_and_the_specification_has_not_is_no_new_one(
    tree: Path,
) -> None:
    """Others write it and read it, whom nobody knows here."""
    header = tree / "arch/x86/include/asm/kvm_host.h"
    header.parent.mkdir(parents=True)
    header.write_text("struct kvm_vcpu_arch {\n	u64 guest_bits;\n};\n")
    j = judge(tree, (COUNT, "	vcpu->arch.guest_bits = 0;\n" + COUNT))
    assert (j.verdict, j.exit_code) == NOT_JUDGED
    assert "the specification leaves out guest_bits" in said(j)


PAUSE = """static int pause_interception(struct kvm_vcpu *vcpu)
{
	bool in_kernel = svm_get_cpl(vcpu) == 0;

	grow_ple_window(vcpu);
	kvm_vcpu_on_spin(vcpu, in_kernel);
	return kvm_skip_emulated_instruction(vcpu);
}
"""


def test_what_a_change_leaves_without_a_step_is_named_first(tree: Path) -> None:
    """No property minds a guest that spins for ever; the reader may."""
    j = judge(tree, ("	kvm_vcpu_on_spin(vcpu, in_kernel);\n", ""), text=PAUSE)
    assert j.exit_code == 0 and "no property minds; runs no more: kvm_vcpu_on_spin()" in said(j)
    assert j.judging.judged[0].idle == ["kvm_vcpu_on_spin"]


def test_what_is_empty_now_is_called_all_the_same(tree: Path) -> None:
    """It takes no step any more; that it is not run would be false."""
    text = "static void svm_vcpu_put(struct kvm_vcpu *v)\n{\n	svm_prepare_host_switch(v);\n}\n"
    j = judge(tree, ("	svm_prepare_host_switch(v);\n", ""), text=text)
    assert j.exit_code == 1 and j.judging.judged[0].idle == ["svm_prepare_host_switch"]


IFS = """#ifndef CONFIG_S390
void kvm_vcpu_kick(struct kvm_vcpu *vcpu)
{
	kvm_vcpu_wake_up(vcpu);
}
#endif
"""


def test_an_if_around_a_function_is_code(tree: Path) -> None:
    """Which kernels have the function is another question now: not judged."""
    j = judge(tree, ("#ifndef CONFIG_S390", "#ifdef CONFIG_SMP"), path=MAIN, text=IFS)
    assert j.exit_code == 4 and "the #if around kvm_vcpu_kick() is another" in said(j)


def test_an_if_around_one_function_is_not_hidden_by_what_another_does(tree: Path) -> None:
    silent = WAKE.replace("	return false;", '	pr_debug("");\n	return false;')
    new = IFS.replace("#ifndef CONFIG_S390", "#ifdef CONFIG_SMP") + silent
    (tree / MAIN).write_text(IFS + WAKE)
    j = lp.judge(diff(MAIN, IFS + WAKE, new), tree=tree, arch="svm", scenario="one", base="v6.12")
    assert j.exit_code == 4 and "the #if that it stands under is another" in said(j)


def test_a_barrier_on_a_machine_that_reorders_is_not_decided(tree: Path) -> None:
    text = """static inline void kvm_make_request(int req, struct kvm_vcpu *vcpu)
{
	smp_wmb();
	set_bit(req & KVM_REQUEST_MASK, (void *)&vcpu->requests);
}
"""
    (tree / HOST).write_text(text)
    d = diff(HOST, text, text.replace("	smp_wmb();\n", ""))
    j = lp.judge(d, tree=tree, arch="riscv", scenario="one", base="v6.12")
    assert j.exit_code == 4 and "--memory weak looks for what it lets happen" in said(j)


def test_a_hunk_does_not_go_where_any_other_would(tree: Path) -> None:
    """What is left of its context ends every other function."""
    (tree / SVM).write_text(C)
    rows = [
        *(
            f"--- a/{SVM}",
            f"+++ b/{SVM}",
            "@@ -18,6 +18,7 @@ static void other(struct vcpu_svm *svm)",
        ),
        *(" \told_thing(svm);", " \tif (svm->old_thing)", " \t\treturn;"),
        *("+\tsvm->guest_state_loaded = true;", " ", " \ttell_nobody(svm);", " \tnor_me(svm);"),
    ]
    d = "\n".join(rows) + "\n"
    with pytest.raises(LoadputError, match="does not apply"):
        lp.judge(d, tree=tree, arch="svm", scenario="one", base="v6.12")


def test_a_scenario_is_asked_that_reads_what_is_written(tree: Path) -> None:
    """Whom a guest need not send its IPI is read where its guests change their mappings."""
    text = """static void kvm_steal_time_set_preempted(struct kvm_vcpu *vcpu)
{
	if (!vcpu->arch.at_instruction_boundary)
		return;

	if (vcpu->arch.st.preempted)
		return;

	vcpu->arch.st.preempted = KVM_VCPU_PREEMPTED;
}
"""
    path = "arch/x86/kvm/x86.c"
    at = tree / path
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_text(text)
    test = "	if (!vcpu->arch.at_instruction_boundary)\n		return;\n\n"
    j = lp.judge(diff(path, text, text.replace(test, "")), tree=tree, arch="svm", base="v6.12")
    assert j.exit_code == 1 and "TLB-FRESH" in said(j)


def test_a_guard_keeps_the_flags_that_had_a_name(tree: Path) -> None:
    path = "arch/loongarch/kvm/vcpu.c"
    text = """void kvm_arch_vcpu_load(struct kvm_vcpu *vcpu, int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	_kvm_vcpu_load(vcpu, cpu);
	local_irq_restore(flags);
}
"""
    new = text.replace(
        "	unsigned long flags;\n\n	local_irq_save(flags);", "	guard(irqsave)();"
    )
    new = new.replace("	local_irq_restore(flags);\n", "")
    (tree / path).parent.mkdir(parents=True)
    (tree / path).write_text(text)
    j = lp.judge(diff(path, text, new), tree=tree, arch="loongarch", scenario="one", base="v6.12")
    assert (j.verdict, j.exit_code) == SAME


def test_a_violation_that_what_is_not_judged_may_prevent_is_not_decided(tree: Path) -> None:
    """A field that the patch brings is set, too, in a function that the specification lacks."""
    lacked = "static void svm_hv_flags(struct vcpu_svm *svm)\n{\n	hv_flags(svm);\n}\n\n"
    before = "		if (!cpu_feature_enabled(X86_FEATURE_IBPB_ON_VMEXIT))\n"
    changes = (
        (before, before.replace("if (", "if (svm->is_dirty && ")),
        ("	hv_flags(svm);\n", "	hv_flags(svm);\n	svm->is_dirty = true;\n"),
    )
    j = judge(tree, *changes, text=lacked + C)
    assert (j.verdict, j.exit_code) == ("not decided", 4)
    assert "rests on what is not modelled: is_dirty in svm_hv_flags()" in said(j)
    gone = (before + "			indirect_branch_prediction_barrier();\n", "			;\n")
    j = judge(tree, gone, changes[1], text=lacked + C)
    assert j.verdict == "violated"  # nobody reads it


KEEPS = "	vmsave(sd->save_area_pa);\n	svm->guest_state_loaded = true;\n"
START = "static void keep_host"


@pytest.mark.parametrize(
    ("brought", "test", "sets"),
    [
        ("static bool lazy;\n\n", "lazy", "lazy = true"),
        (
            "static DEFINE_STATIC_KEY_FALSE(lazy);\n\n",
            "static_branch_unlikely(&lazy)",
            "static_branch_enable(&lazy)",
        ),
    ],
)
def test_a_variable_that_a_patch_brings_is_no_local(
    tree: Path, brought: str, test: str, sets: str
) -> None:
    """One function writes it alone, another reads it."""
    reads = (
        (START, brought + START),
        (
            "	vmsave(sd->save_area_pa);\n",
            f"	if (!{test})\n		vmsave(sd->save_area_pa);\n",
        ),
    )
    j = judge(tree, *reads)
    assert (j.verdict, j.exit_code) == ("no property minds", 0)
    j = judge(tree, *reads, (COUNT, f"{COUNT}	{sets};\n"))
    assert j.exit_code == 1 and "HOST-RESTORED" in said(j)


MACRO = """#define keeps(sd, svm)				\\
do {						\\
	vmsave((sd)->save_area_pa);		\\
	(svm)->guest_state_loaded = true;	\\
} while (0)

"""


def test_a_macro_that_a_patch_brings_is_read_where_it_is_called(tree: Path) -> None:
    change = (KEEPS, "	keeps(sd, svm);\n")
    j = judge(tree, (START, MACRO + START), change)
    assert (j.verdict, j.exit_code) == SAME
    worse = MACRO.replace("	vmsave((sd)->save_area_pa);		\\\n", "")
    j = judge(tree, (START, worse + START), change)
    assert j.exit_code == 1 and "HOST-RESTORED" in said(j)


HEADER, FIELD = "arch/x86/kvm/svm/svm.h", "	bool guest_state_loaded;\n"
STRUCT = f"struct vcpu_svm {{\n	struct kvm_vcpu vcpu;\n{FIELD}}};\n"


def judge_with_header(tree: Path, fields: str, *changes: tuple[str, str]) -> lp.Judged:
    (tree / HEADER).write_text(STRUCT)
    new = C
    for old, to in changes:
        new = new.replace(old, to)
    text = diff(HEADER, STRUCT, STRUCT.replace(FIELD, fields)) + diff(SVM, C, new)
    return lp.judge(text, tree=tree, arch="svm", scenario="one", base="v6.12")


@pytest.mark.parametrize(
    "fields",
    [f"	struct {{\n	{FIELD}	}} host;\n", "	struct svm_host host;\n"],
)
def test_a_field_that_moves_into_a_part_of_its_struct_is_the_same(tree: Path, fields: str) -> None:
    if "svm_host" in fields:
        fields = f"	struct svm_host {{\n	{FIELD}	}};\n{fields}"
    j = judge_with_header(tree, fields, ("svm->guest_state_loaded", "svm->host.guest_state_loaded"))
    assert (j.verdict, j.exit_code) == SAME
    assert "host.guest_state_loaded is the field guest_state_loaded" in said(j)


def test_a_violation_for_want_of_a_field_that_a_patch_takes_out_is_not_decided(tree: Path) -> None:
    """It is a bit of another one now, as nobody here knows."""
    j = judge_with_header(
        tree,
        "	unsigned long host_flags;\n",
        ("	if (svm->guest_state_loaded)", "	if (test_bit(0, &svm->host_flags))"),
        ("	svm->guest_state_loaded = true;", "	set_bit(0, &svm->host_flags);"),
    )
    assert j.exit_code == 4 and "NEW VIOLATION" not in said(j)


def test_what_an_assembler_statement_may_do_is_not_decided(tree: Path) -> None:
    save = "	vmsave(sd->save_area_pa);\n"
    asm = '	asm volatile("vmsave %0" : : "r"(sd->save_area_pa));\n'
    j = judge(tree, (save, asm))
    assert j.verdict == "not decided" and "rests on what is not modelled: asm" in said(j)


def test_a_field_of_that_name_in_another_struct_is_another(tree: Path) -> None:
    other = f"\nstruct svm_other {{\n	int count;\n{FIELD}}};\n"
    (tree / HEADER).write_text(STRUCT + other)
    new = STRUCT.replace(FIELD, f"	struct {{\n	{FIELD}	}} host;\n{FIELD}")
    text = diff(HEADER, STRUCT + other, new + other.replace(FIELD, ""))
    was = "	svm->guest_state_loaded = true;\n"
    text += diff(SVM, C, C.replace(was, "	svm->host.guest_state_loaded = true;\n"))
    j = lp.judge(text, tree=tree, arch="svm", scenario="one", base="v6.12")
    assert (j.verdict, j.exit_code) != SAME

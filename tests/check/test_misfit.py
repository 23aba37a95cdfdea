"""A hunk that does not apply is left out where it says what it changes, and nobody mirrors that.

The C is in our own words: shorter than the kernel's, in its order.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

import loadput as lp
from loadput.base.errors import InputError

SVM, HEADER, RESET = "arch/x86/kvm/svm/svm.c", "arch/x86/kvm/svm/svm.h", "arch/arm64/kvm/reset.c"
C = """static void count_host(struct svm_cpu_data *sd)
{
	sd->first++;
	sd->second++;
	sd->third++;
	sd->fourth++;
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
}
"""
DECLARED = """struct vcpu_svm {
	struct kvm_vcpu vcpu;
};

int svm_one(struct kvm_vcpu *vcpu);
int svm_two(struct kvm_vcpu *vcpu);
"""
BARRIER = """
		if (!cpu_feature_enabled(X86_FEATURE_IBPB_ON_VMEXIT))
			indirect_branch_prediction_barrier();
"""
RESET_C = """int kvm_reset_vcpu(struct kvm_vcpu *vcpu)
{
	bool loaded;
	int ret = 0;

	preempt_disable();
	loaded = vcpu->cpu != -1;
	if (loaded)
		kvm_arch_vcpu_put(vcpu);

	count_a_reset(vcpu);
	kvm_reset_sys_regs(vcpu);
out:
	if (loaded)
		kvm_arch_vcpu_load(vcpu, smp_processor_id());
	preempt_enable();
	return ret;
}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for path, text in ((SVM, C), (HEADER, DECLARED), (RESET, RESET_C)):
        at = tmp_path / "linux" / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text)
    return tmp_path / "linux"


def diff(path: str, text: str, *changes: tuple[str, str], was: tuple[str, str] = ("", "")) -> str:
    """The changes as a patch.

    :param was: what the tree has, and what the tree that the patch was made for had instead
    """
    text = text.replace(*was) if was[0] else text
    new = text
    for old, to in changes:
        assert new.count(old) == 1, old
        new = new.replace(old, to)
    rows = (t.splitlines(keepends=True) for t in (text, new))
    return "".join(difflib.unified_diff(*rows, f"a/{path}", f"b/{path}"))


def judge(tree: Path, text: str, arch: str = "svm") -> lp.Judged:
    scenario = "shared" if arch == "svm" else "one"
    return lp.judge(text, tree=tree, arch=arch, scenario=scenario, base="v6.12")


COUNTS = (("	sd->second++;\n	sd->third++;\n", "	sd->both++;\n"),)
OTHERS = ("	sd->third++;\n", "	sd->last++;\n")


def test_a_hunk_of_a_function_that_nobody_mirrors_is_left_out_and_said(tree: Path) -> None:
    """What it would do may make up for what the others take out: not decided."""
    counts = (COUNTS[0][0].replace("third", "last"), COUNTS[0][1])
    j = judge(tree, diff(SVM, C, counts, (BARRIER, ""), was=OTHERS))
    said = " ".join(j.text().split())
    assert j.exit_code == 4
    assert "not decided: IBPB (svm); it rests on what is not modelled: the hunk of count_h" in said
    assert "count_host: its hunk does not apply, and is left out" in said


def test_a_hunk_of_a_mirrored_function_that_does_not_apply_is_an_error(tree: Path) -> None:
    other = ("indirect_branch_prediction_barrier", "another_barrier")
    change = (BARRIER.replace(*other), "")
    with pytest.raises(InputError, match=r"hunk 2 of .* does not apply") as e:
        judge(tree, diff(SVM, C, *COUNTS, change, was=other))
    assert e.value.code == "LP0234"


def test_a_hunk_that_only_declares_functions_is_left_out_with_a_note(tree: Path) -> None:
    more = ("int svm_two(struct kvm_vcpu *vcpu);\n", "int svm_three(struct kvm_vcpu *vcpu);\n")
    other = ("int svm_one(struct kvm_vcpu *vcpu);\n", "int svm_none(int cpu);\n")
    header = diff(HEADER, DECLARED, more, was=other).replace(" struct", " union")
    header = header.replace(" };", " } *;").replace(" 	struct kvm_vcpu vcpu;", " 	int x;")
    header = header.replace("-int svm_two(struct kvm_vcpu *vcpu);", "-int svm_two(int vcpu);")
    j = judge(tree, header + diff(SVM, C, (BARRIER, "")))
    assert j.exit_code == 1 and "it only declares functions" in " ".join(j.text().split())


def test_a_jump_to_the_end_that_is_new_does_what_stands_there(tree: Path) -> None:
    more = "	count_a_reset(vcpu);\n"
    j = judge(
        tree,
        diff(RESET, RESET_C, (more, f"{more}	if (vcpu->ready)\n		goto out;\n")),
        "arm64",
    )
    (one,) = j.judging.judged
    lines = [ln.strip() for f in one.changes for c in f.carried for ln in c.diff()]
    assert [ln.lstrip("+ ") for ln in lines if ln.startswith("+")] == [
        "if vcpu.ready:",
        "if loaded:",
        "kvm_arch_vcpu_load(vcpu, smp_processor_id())",
        "preempt_enable()",
        "return 0",
    ]


def test_what_is_added_in_a_row_behind_an_exit_stands_in_ours_under_its_test(tree: Path) -> None:
    """C leaves before it; ours has the row under the test."""
    path = "arch/loongarch/kvm/vcpu.c"
    saves = "".join(
        f"	kvm_save_hw_gcsr(csr, LOONGARCH_CSR_{n});\n" for n in ("CRMD", "PRMD", "ERA")
    )
    text = (
        "static int _kvm_vcpu_put(struct kvm_vcpu *vcpu, int cpu)\n{\n"
        "	struct loongarch_csrs *csr = vcpu->arch.csr;\n\n	kvm_lose_fpu(vcpu);\n"
        "	if (vcpu->arch.aux_inuse & KVM_LARCH_SWCSR_LATEST)\n		goto out;\n\n"
        f"{saves}	vcpu->arch.aux_inuse |= KVM_LARCH_SWCSR_LATEST;\n"
        "out:\n	kvm_save_timer(vcpu);\n"
        "	csr->csrs[LOONGARCH_CSR_GINTC] = read_csr_gintc();\n	return 0;\n}\n"
    )
    at = tree / path
    at.parent.mkdir(parents=True)
    at.write_text(text)
    one = "	kvm_save_hw_gcsr(csr, LOONGARCH_CSR_PRMD);\n"
    j = judge(tree, diff(path, text, (one, one + one)), "loongarch")
    (judged,) = j.judging.judged
    lines = [ln for f in judged.changes for c in f.carried for ln in c.diff()]
    added = [ln for ln in lines if ln.startswith("+")]
    assert [ln[1:] for ln in added] == ["    vcpu.arch.csr = this_cpu_read(hw_gcsr)"]

"""A function that is written in another way: right where it comes to the same, found where not.

The C is in our own words: shorter than the kernel's, in its order.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import loadput as lp
from loadput.check.judge import SAME as NOTHING
from tools.rewrite import KINDS, rewrites

from .test_same_and_not import SVM, C, diff, tree

__all__ = ["tree"]

BARRIER = """	if (sd->current_vmcb != svm->vmcb) {
		sd->current_vmcb = svm->vmcb;

		if (!cpu_feature_enabled(X86_FEATURE_IBPB_ON_VMEXIT))
			indirect_branch_prediction_barrier();
	}
"""
WINDOW = """	if (vcpu->scheduled_out && !kvm_pause_in_guest(vcpu->kvm))
		shrink_ple_window(vcpu);
"""
ISSUE = """ && !cpu_feature_enabled(X86_FEATURE_IBPB_ON_VMEXIT))
		indirect_branch_prediction_barrier();
"""
STORE = "	sd->current_vmcb = svm->vmcb;\n"
LOAD = "static void svm_vcpu_load"
HELPER = (
    "static bool other(struct svm_cpu_data *sd, struct vcpu_svm *svm)\n{{\n	return {};\n}}\n\n"
)
TAKE = "static void take(struct svm_cpu_data *sd, struct vcpu_svm *svm)\n{\n" + STORE + "}\n\n"
PREV = "	struct vmcb *prev = {};\n\n"
SAME = "	bool same = sd->current_vmcb == svm->vmcb;\n\n"
FLAG = """	bool shrink = {};

	if (vcpu->scheduled_out && !kvm_pause_in_guest(vcpu->kvm))
		shrink = {};
	if (shrink)
		shrink_ple_window(vcpu);
"""
EARLY = """static bool differs(struct svm_cpu_data *sd, struct vcpu_svm *svm)
{
	if (sd->current_vmcb == svm->vmcb)
		return false;

	return true;
}

"""
GIVES = "static void issue(struct svm_cpu_data *sd, struct vcpu_svm *svm, struct vmcb *prev)\n"
GIVEN = f"{GIVES}{{\n{STORE}	if (prev != svm->vmcb{ISSUE}}}\n\n"
OLD = "sd->current_vmcb"
REWRITTEN = {
    # its changes; the exit code: 0 where it comes to the same, 1 where it does not, 4 not judged
    "what was there is kept before the store": (
        [(BARRIER, PREV.format(OLD) + STORE + "	if (prev != svm->vmcb" + ISSUE)],
        0,
    ),
    "what is there now is kept": (
        [(BARRIER, PREV.format("svm->vmcb") + STORE + "	if (prev != svm->vmcb" + ISSUE)],
        1,
    ),
    "what was kept is written over": (
        [
            (
                BARRIER,
                PREV.format(OLD)
                + STORE
                + "	prev = svm->vmcb;\n	if (prev != svm->vmcb"
                + ISSUE,
            )
        ],
        1,
    ),
    "a helper stores between": (
        [
            (LOAD, TAKE + LOAD),
            (BARRIER, PREV.format(OLD) + "	take(sd, svm);\n	if (prev != svm->vmcb" + ISSUE),
        ],
        0,
    ),
    "whether it is the same is kept": ([(BARRIER, SAME + STORE + "	if (!same" + ISSUE)], 0),
    "whether it is the same is taken for the other": (
        [(BARRIER, SAME + STORE + "	if (same" + ISSUE)],
        1,
    ),
    "stored before it is looked at": ([(BARRIER, STORE + BARRIER)], 1),
    "exchanged at once": (
        [(BARRIER, "	if (xchg(&sd->current_vmcb, svm->vmcb) != svm->vmcb" + ISSUE)],
        0,
    ),
    "asked in a helper": (
        [
            (LOAD, HELPER.format("sd->current_vmcb != svm->vmcb") + LOAD),
            (BARRIER, BARRIER.replace("sd->current_vmcb != svm->vmcb", "other(sd, svm)")),
        ],
        0,
    ),
    "asked in a helper, the wrong way": (
        [
            (LOAD, HELPER.format("sd->current_vmcb == svm->vmcb") + LOAD),
            (BARRIER, BARRIER.replace("sd->current_vmcb != svm->vmcb", "other(sd, svm)")),
        ],
        1,
    ),
    "asked in a helper that leaves early": (
        [
            (LOAD, EARLY + LOAD),
            (BARRIER, BARRIER.replace("sd->current_vmcb != svm->vmcb", "differs(sd, svm)")),
        ],
        0,
    ),
    "asked in a helper that leaves early, the wrong way": (
        [
            (LOAD, EARLY.replace("==", "!=") + LOAD),
            (BARRIER, BARRIER.replace("sd->current_vmcb != svm->vmcb", "differs(sd, svm)")),
        ],
        1,
    ),
    "a helper gets what was there": (
        [(LOAD, GIVEN + LOAD), (BARRIER, "	issue(sd, svm, sd->current_vmcb);\n")],
        0,
    ),
    "the CPU is asked instead": (
        [(BARRIER, BARRIER.replace("sd->current_vmcb != svm->vmcb", "vcpu->cpu != cpu"))],
        1,
    ),
    "the data of the CPU that it was on": (
        [("per_cpu_ptr(&svm_data, cpu)", "per_cpu_ptr(&svm_data, vcpu->cpu)")],
        1,
    ),
    "by a flag": ([(WINDOW, FLAG.format("false", "true"))], 0),
    "by a flag, the wrong way": ([(WINDOW, FLAG.format("true", "false"))], 1),
    "the tests change places": (
        [
            (
                WINDOW,
                WINDOW.replace(
                    "vcpu->scheduled_out && !kvm_pause_in_guest(vcpu->kvm)",
                    "!kvm_pause_in_guest(vcpu->kvm) && vcpu->scheduled_out",
                ),
            )
        ],
        0,
    ),
    "what is compared changes sides": (
        [
            (
                BARRIER,
                BARRIER.replace("sd->current_vmcb != svm->vmcb", "svm->vmcb != sd->current_vmcb"),
            )
        ],
        0,
    ),
    "one of the tests is enough": ([(WINDOW, WINDOW.replace("&&", "||"))], 1),
    "in a loop that goes round once": (
        [
            (
                WINDOW,
                "	do {\n		if (!vcpu->scheduled_out)\n			break;\n	"
                + WINDOW.replace("\n	", "\n		")
                + "	} while (0);\n",
            )
        ],
        4,
    ),
    "after the barrier": ([(WINDOW + "\n" + BARRIER, BARRIER + "\n" + WINDOW)], 0),
}


@pytest.mark.parametrize("how", REWRITTEN)
def test_another_way_to_write_it(tree: Path, how: str) -> None:
    changes, code = REWRITTEN[how]
    new = C
    for old, to in changes:
        assert old in new, old
        new = new.replace(old, to)
    j = lp.judge(diff(SVM, C, new), tree=tree, arch="svm", scenario="shared", base="v6.12")
    assert j.exit_code == code


MORE = """static void svm_vcpu_put(struct kvm_vcpu *vcpu)
{
	struct svm_cpu_data *sd = per_cpu_ptr(&svm_data, vcpu->cpu);
	int n = 0;

	while (n < 3) {
		count_a_put(vcpu->arch.apic, n);
		n++;
	}
	local_irq_disable();
	if (sd->current_vmcb == NULL && n > 1)
		count_a_put(vcpu->arch.apic, n);
	local_irq_enable();
	if (vcpu->preempted)
		svm_prepare_host_switch(vcpu);
	else
		avic_vcpu_put(vcpu);
	if (n == SOME_WAY)
		return;
	if (vcpu->ready)
		n = 1;
	else
		n = 2;
	if (to_svm(vcpu)->vmcb)
		count_a_put(vcpu->arch.apic, 2);
}
"""


def test_each_kind_of_rewriting_comes_to_the_same(tree: Path) -> None:
    """Test kept in a local, helper, else, loop, scoped_guard(): all that tools/rewrite.py does."""
    text = f"{C}\n{MORE}"
    (tree / SVM).write_text(text)
    met = set()
    for function in (f"{f.strip()}\n}}" for f in text.split("\n}\n") if f.strip()):
        for kind, where, new in rewrites(function):
            met.add(kind)
            patch = diff(SVM, text, text.replace(function, new))
            j = lp.judge(patch, tree=tree, arch="svm", scenario="one", base="v6.12")
            assert (j.verdict, j.exit_code) == (NOTHING, 0), (kind, where)
    assert met == set(KINDS)

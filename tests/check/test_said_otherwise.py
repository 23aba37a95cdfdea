"""The same said otherwise, and what only looks so: an increment, a shadow, half of a rewriting.

The C is in our own words: shorter than the kernel's, in its order.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from loadput.check.judge import SAME as NOTHING

from .test_same_and_not import MAIN, SVM, WAKE, judge, said, tree

__all__ = ["tree"]

ASID = """static void new_asid(struct vcpu_svm *svm, struct svm_cpu_data *sd)
{
	if (sd->next_asid > sd->max_asid) {
		++sd->asid_generation;
		sd->next_asid = sd->min_asid;
	}
	svm->current_vmcb->asid_generation = sd->asid_generation;
	svm->asid = sd->next_asid++;
}
"""
WOKEN = """bool kvm_vcpu_wake_up(struct kvm_vcpu *vcpu)
{
	bool woken = false;

	if (__kvm_vcpu_wake_up(vcpu)) {
		WRITE_ONCE(vcpu->ready, true);
		woken = true;
	}
	return woken;
}
"""


@pytest.mark.parametrize("old, new", [("next_asid++", "++"), ("++sd->asid", "sd->asid")])
def test_what_an_increment_gives_is_another_before_than_after(
    tree: Path, old: str, new: str
) -> None:
    given = {"++": ("sd->next_asid++", "++sd->next_asid")}
    change = given.get(new, ("++sd->asid_generation;", "sd->asid_generation++;"))
    j = judge(tree, change, text=ASID)
    assert (j.verdict == NOTHING) == (new != "++")


def test_a_local_that_hides_another_is_not_that(tree: Path) -> None:
    text = WOKEN.replace("woken = true", "woken = ask(vcpu)").replace(
        "return", "ready(woken);\n	return"
    )
    j = judge(tree, ("		woken = ask", "		bool woken = ask"), path=MAIN, text=text)
    assert j.verdict != NOTHING


def test_a_helper_whose_test_does_all_still_does_it(tree: Path) -> None:
    helper = "static void make_ready(struct kvm_vcpu *v)\n{\n	if (xchg(&v->ready, true))\n"
    head = "bool kvm_vcpu_wake_up("
    call = ("		WRITE_ONCE(vcpu->ready, true);\n", "		make_ready(vcpu);\n")
    j = judge(tree, (head, f"{helper}		return;\n}}\n\n{head}"), call, path=MAIN, text=WAKE)
    assert j.exit_code == 0


ASKED = ("kvm_arch_vcpu_runnable(vcpu)", "kvm_cpu_has_pending_timer(vcpu)")
ASKED += ("signal_pending(current)", "kvm_check_request(KVM_REQ_UNBLOCK, vcpu)")
TESTS = "".join(f"	if ({x})\n		goto out;\n" for x in ASKED)
BLOCK = f"""static int kvm_vcpu_check_block(struct kvm_vcpu *vcpu)
{{
	int ret = -EINTR;
	int idx = srcu_read_lock(&vcpu->kvm->srcu);

{TESTS}
	ret = 0;
out:
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return ret;
}}
"""


def test_half_of_a_rewriting_is_no_violation(tree: Path) -> None:
    """Some of the tests have no part in ours: where a jump leads is another, as far as one sees."""
    asked = " && ".join(f"!{ASKED[i]}" for i in (0, 2, 1, 3))
    now = f"	if ({asked})\n		ret = 0;\n"
    j = judge(tree, (f"{TESTS}\n	ret = 0;\nout:\n", now), path=MAIN, text=BLOCK)
    assert j.exit_code == 4


PUT = """static void svm_vcpu_put(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	int cpu = get_cpu();

	if (vcpu->preempted)
		count_a_put(vcpu, cpu, 1);
	if (svm->guest_state_loaded)
		count_a_put(vcpu, cpu, vcpu->ready ? 2 : 3);
	svm->guest_state_loaded = false;
	vcpu->cpu = cpu++;
	do {
		count_a_put(vcpu, cpu, 4);
	} while (more_of(vcpu));
	put_cpu();
}
"""
FLAG = """static void svm_vcpu_load(struct kvm_vcpu *vcpu, int cpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	bool there = svm->vmcb == vcpu->last;

	if (there)
		count_a_put(vcpu, cpu, 1);
	per_cpu(last_vcpu, cpu) = vcpu;
	if (!there)
		count_a_put(vcpu, cpu, 2);
	if (vcpu->count < cpu)
		count_a_put(vcpu, cpu, 3);
	else
		count_a_put(vcpu, cpu, 4);
}
"""
ENDLESS = (
    "	for (;;) {\n		if (more_of(vcpu))\n			break;\n		tell(vcpu);\n	}\n"
)
LAST = "	per_cpu(last_vcpu, cpu) = vcpu;\n"
LOCKED = f"	write_lock(&vcpu->a_lock);\n{LAST}	write_unlock(&vcpu->a_lock);\n"
SEEN = FLAG[FLAG.index("	bool there") : FLAG.index("		count_a_put(vcpu, cpu, 2)")]
OTHERWISE = {
    # what it was; what it is; what looks like that and is not
    "jumps, and a test": (
        BLOCK,
        f"{TESTS}\n	ret = 0;\nout:\n",
        f"	if (!{' && !'.join(ASKED)})\n		ret = 0;\n",
        f"	if (!{' || !'.join(ASKED)})\n		ret = 0;\n",
    ),
    "a jump over some of it": (
        PUT,
        """	if (vcpu->preempted)
		count_a_put(vcpu, cpu, 1);
""",
        """	if (!vcpu->preempted)
		goto next;
	count_a_put(vcpu, cpu, 1);
next:
""",
        """	if (vcpu->preempted)
		goto next;
	count_a_put(vcpu, cpu, 1);
next:
""",
    ),
    "a loop that goes round once": (
        PUT,
        """	if (vcpu->preempted)
		count_a_put(vcpu, cpu, 1);
""",
        """	do {
		if (!vcpu->preempted)
			break;
		count_a_put(vcpu, cpu, 1);
	} while (0);
""",
        """	do {
		if (!vcpu->preempted)
			break;
		count_a_put(vcpu, cpu, 1);
	} while (1);
""",
    ),
    "a choice of what is given": (
        PUT,
        """		count_a_put(vcpu, cpu, vcpu->ready ? 2 : 3);
""",
        """		if (vcpu->ready)
			count_a_put(vcpu, cpu, 2);
		else
			count_a_put(vcpu, cpu, 3);
""",
        """		if (vcpu->ready)
			count_a_put(vcpu, cpu, 3);
		else
			count_a_put(vcpu, cpu, 2);
""",
    ),
    "a count of its own": (
        PUT,
        """	vcpu->cpu = cpu++;
""",
        """	vcpu->cpu = cpu;
	cpu++;
""",
        """	cpu++;
	vcpu->cpu = cpu;
""",
    ),
    "a loop that is tested at its end": (
        PUT,
        """	do {
		count_a_put(vcpu, cpu, 4);
	} while (more_of(vcpu));
""",
        """	for (;;) {
		count_a_put(vcpu, cpu, 4);
		if (!more_of(vcpu))
			break;
	}
""",
        """	for (;;) {
		count_a_put(vcpu, cpu, 4);
		if (more_of(vcpu))
			break;
	}
""",
    ),
    "what both ways end with": (
        PUT,
        """	svm->guest_state_loaded = false;
""",
        """	if (vcpu->ready) {
		svm->guest_state_loaded = false;
	} else {
		svm->guest_state_loaded = false;
	}
""",
        """	if (vcpu->ready) {
		svm->guest_state_loaded = false;
	} else {
		svm->guest_state_loaded = true;
	}
""",
    ),
    "the CPU, and that it stays": (
        PUT,
        """	int cpu = get_cpu();
""",
        """	int cpu;

	preempt_disable();
	cpu = smp_processor_id();
""",
        """	int cpu;

	cpu = smp_processor_id();
	preempt_disable();
""",
    ),
    "a loop that begins again": (
        PUT,
        """	do {
		count_a_put(vcpu, cpu, 4);
	} while (more_of(vcpu));
""",
        """	count_a_put(vcpu, cpu, 4);
	while (more_of(vcpu))
		count_a_put(vcpu, cpu, 4);
""",
        """	while (more_of(vcpu))
		count_a_put(vcpu, cpu, 4);
""",
    ),
    "a flag that says no": (
        FLAG,
        SEEN,
        SEEN.replace("there = svm->vmcb ==", "moved = svm->vmcb !=")
        .replace("(there)", "(!moved)")
        .replace("(!there)", "(moved)"),
        SEEN.replace("there = svm->vmcb ==", "moved = svm->vmcb !=")
        .replace("(there)", "(moved)")
        .replace("(!there)", "(moved)"),
    ),
    "a comparison from its other side": (
        FLAG,
        """	if (vcpu->count < cpu)
		count_a_put(vcpu, cpu, 3);
	else
		count_a_put(vcpu, cpu, 4);
""",
        """	if (cpu <= vcpu->count)
		count_a_put(vcpu, cpu, 4);
	else
		count_a_put(vcpu, cpu, 3);
""",
        """	if (cpu < vcpu->count)
		count_a_put(vcpu, cpu, 4);
	else
		count_a_put(vcpu, cpu, 3);
""",
    ),
    "a loop without an end": (
        FLAG[:-2] + ENDLESS + "}\n",
        ENDLESS,
        """	while (true) {
		if (!more_of(vcpu)) {
			tell(vcpu);
		} else {
			break;
		}
	}
""",
        """	while (true) {
		if (more_of(vcpu)) {
			tell(vcpu);
		} else {
			break;
		}
	}
""",
    ),
    "a lock that readers share": (
        FLAG.replace(LAST, LOCKED),
        LOCKED,
        f"	scoped_guard(write_lock, &vcpu->a_lock)\n	{LAST}",
        f"	scoped_guard(read_lock, &vcpu->a_lock)\n	{LAST}",
    ),
    "where a CPU has it": (
        FLAG,
        "	per_cpu(last_vcpu, cpu) = vcpu;\n",
        "	*per_cpu_ptr(&last_vcpu, cpu) = vcpu;\n",
        "	*per_cpu_ptr(&last_vcpu, vcpu->cpu) = vcpu;\n",
    ),
    "a test that holds": (
        FLAG,
        "	per_cpu(last_vcpu, cpu) = vcpu;\n",
        "	if (1)\n		per_cpu(last_vcpu, cpu) = vcpu;\n",
        "	if (0)\n		per_cpu(last_vcpu, cpu) = vcpu;\n",
    ),
    "a test of a choice": (
        FLAG,
        "	if (there)\n",
        "	if (there ? true : false)\n",
        "	if (there ? false : true)\n",
    ),
}


@pytest.mark.parametrize("how", OTHERWISE)
def test_the_same_said_otherwise(tree: Path, how: str) -> None:
    text, old, new, _ = OTHERWISE[how]
    path = MAIN if text == BLOCK else SVM
    assert judge(tree, (old, new), path=path, text=text).verdict == NOTHING


@pytest.mark.parametrize("how", OTHERWISE)
def test_what_looks_like_it_is_not_the_same(tree: Path, how: str) -> None:
    text, old, _, new = OTHERWISE[how]
    path = MAIN if text == BLOCK else SVM
    assert judge(tree, (old, new), path=path, text=text).verdict != NOTHING


COUNT = """static void svm_vcpu_put(struct kvm_vcpu *vcpu)
{
	int n = a_count(vcpu), i, ask = a_count(vcpu);
	bool was = false;

	for (i = 0; i < 3; i++)
		count_a_put(vcpu, i);
	if (vcpu->preempted)
		was = true;
	count_a_put(vcpu, was + n);
	if (ask)
		count_a_put(vcpu, 4);
}
"""


@pytest.mark.parametrize(
    "old, new, is_same",
    [
        ("int n = a_count(vcpu), i, ask", "long n = a_count(vcpu), i, ask", True),
        ("int n = a_count(vcpu), i, ask", "int i, n = a_count(vcpu), ask", True),
        ("int n = a_count(vcpu), i,", "unsigned int i;\n	int n = a_count(vcpu),", True),
        ("int n = a_count(vcpu), i,", "bool i;\n	int n = a_count(vcpu),", False),
        (", ask = a_count(vcpu)", ";\n	bool ask = a_count(vcpu)", True),
        ("bool was", "u8 was", True),
        ("int n = a_count(vcpu),", "bool n = a_count(vcpu);\n	int", False),
        ("int n = a_count(vcpu),", "u8 n = a_count(vcpu);\n	int", False),
        ("int n = a_count(vcpu),", "unsigned int n = a_count(vcpu);\n	int", False),
    ],
)
def test_a_type_that_does_not_hold_the_same_is_not_judged(
    tree: Path, old: str, new: str, is_same: bool
) -> None:
    j = judge(tree, (old, new), text=COUNT)
    assert (j.verdict == NOTHING) == is_same
    assert is_same or "is of type" in said(j)


@pytest.mark.parametrize(
    "text, is_same",
    [(WAKE.replace("bool", "int"), True), (BLOCK.replace("int kvm", "bool kvm"), False)],
)
def test_a_result_of_another_type(tree: Path, text: str, is_same: bool) -> None:
    of = {"int kvm": "bool kvm", "bool kvm": "int kvm"}
    head = next(x for x in of if x in text)
    j = judge(tree, (head, of[head]), path=MAIN, text=text)
    assert (j.verdict == NOTHING) == is_same


SPIN = """void kvm_vcpu_on_spin(struct kvm_vcpu *me, bool yield_to_kernel_mode)
{
	struct kvm_vcpu *vcpu;
	int i;

	for (i = 0; i < me->kvm->nr; i++) {
		vcpu = xa_load(&me->kvm->vcpu_array, i);
		if (!READ_ONCE(vcpu->ready))
			continue;
		if (kvm_vcpu_yield_to(vcpu) > 0)
			break;
	}
}
"""


@pytest.mark.parametrize(
    "old, new",
    [
        ("i = 0;", "i = 1;"),
        ("i++)", "i += 2)"),
        ("i = 0; i < me->kvm->nr; i++", "; i < me->kvm->nr;"),
    ],
)
def test_where_a_loop_begins_and_how_it_goes_on_is_not_taken_for_judged(
    tree: Path, old: str, new: str
) -> None:
    j = judge(tree, (f"{old}", new), path=MAIN, text=SPIN)
    assert j.exit_code == 4
    assert "judged 0 of 1 changed functions" in said(j)

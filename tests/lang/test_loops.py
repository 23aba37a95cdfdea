"""Loop macros walk as the kernel's do, whatever the body does to the index."""

from __future__ import annotations

from .build import lower_c, program, run

WALK = """int f(struct kvm *kvm, int jump)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;
	int seen = 0;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		if (jump && i < 1) {
			i = 1;
			continue;
		}
		seen = seen * 10 + vcpu->mode;
		if (vcpu->preempted)
			break;
	}
	return seen * 100 + i * 10 + !vcpu;
}
"""
ALL = {(f"kvm_vcpu.{n}", v): x for v in (1, 2, 3) for n, x in (("kvm", 1), ("mode", v))}


def walk(memory: dict[tuple[str, int | None], int], jump: int = 0) -> int | None:
    return run(lower_c(WALK), [1, jump], memory)[0]


def test_kvm_for_each_vcpu_visits_each_and_leaves_null_and_the_last_index() -> None:
    assert walk({**ALL}) == 123 * 100 + 2 * 10 + 1


def test_kvm_for_each_vcpu_goes_on_after_the_index_that_the_body_sets() -> None:
    assert walk({**ALL}, jump=1) == 3 * 100 + 2 * 10 + 1


def test_kvm_for_each_vcpu_break_keeps_the_vcpu() -> None:
    assert walk({**ALL, ("kvm_vcpu.preempted", 2): 1}) == 12 * 100 + 1 * 10 + 0


def test_kvm_for_each_vcpu_skips_vcpus_of_other_vms() -> None:
    assert walk({**ALL, ("kvm_vcpu.kvm", 2): 2}) == 13 * 100 + 2 * 10 + 1


def test_kvm_for_each_vcpu_over_no_vcpu_ends() -> None:
    assert walk({}) == 1


def test_for_each_online_cpu_visits_each_cpu() -> None:
    loop = "for_each_online_cpu(cpu)\n\t\tn += cpu + 1;"
    text = "int f(void)\n{\n\tint cpu, n = 0;\n\n\t" + loop + "\n\treturn n;\n}\n"
    assert run(lower_c(text), [])[0] == 3


def test_directed_yield_scan_starts_after_the_last_one() -> None:
    """The shape of the directed yield: two passes, the index moved by the body."""
    text = """int f(struct kvm *kvm)
{
	int last = READ_ONCE(kvm->last_boosted_vcpu);
	struct kvm_vcpu *vcpu;
	unsigned long i;
	int pass, order = 0;

	for (pass = 0; pass < 2; pass++) {
		kvm_for_each_vcpu(i, vcpu, kvm) {
			if (!pass && i <= last) {
				i = last;
				continue;
			} else if (pass && i > last)
				break;
			order = order * 10 + vcpu->mode;
		}
	}
	return order;
}
"""
    fn = lower_c(text, program())
    for last, order in ((0, 231), (1, 312), (2, 123)):
        assert run(fn, [1], {**ALL, ("kvm.last_boosted_vcpu", 1): last})[0] == order

"""One function written in kernel Python and in C is one function."""

from __future__ import annotations

import pytest

from loadput.ir.decls import Signature

from .build import body, lower_c, lower_py, program

PAIRS = {
    "flags": (
        """
def f(pn: ptr[preempt_notifier], cpu: cpu):
    vcpu = preempt_notifier_to_vcpu(pn)
    WRITE_ONCE(vcpu.preempted, False)
    __this_cpu_write(kvm_running_vcpu, vcpu)
    kvm_arch_vcpu_load(vcpu, cpu)
    __this_cpu_write(kvm_running_vcpu, NULL)
""",
        """
static void f(struct preempt_notifier *pn, int cpu)
{
	struct kvm_vcpu *vcpu = preempt_notifier_to_vcpu(pn);

	WRITE_ONCE(vcpu->preempted, false);
	__this_cpu_write(kvm_running_vcpu, vcpu);
	kvm_arch_vcpu_load(vcpu, cpu);
	__this_cpu_write(kvm_running_vcpu, NULL);
}
""",
    ),
    "branches": (
        """
def f(vcpu: ptr[kvm_vcpu]) -> bool:
    if current.on_rq and vcpu.wants_to_run:
        vcpu.preempted = True
    elif vcpu.mode == IN_GUEST_MODE or not vcpu.ready:
        return True
    return False
""",
        """
bool f(struct kvm_vcpu *vcpu)
{
	if (current->on_rq && vcpu->wants_to_run)
		vcpu->preempted = true;
	else if (vcpu->mode == IN_GUEST_MODE || !vcpu->ready)
		return true;
	return false;
}
""",
    ),
    "loop": (
        """
def f(vcpu: ptr[kvm_vcpu]):
    while READ_ONCE(vcpu.ready):
        if vcpu.arch.halted:
            break
        smp_mb()
        WRITE_ONCE(vcpu.arch.halted, True)
    preempt_enable()
""",
        """
void f(struct kvm_vcpu *vcpu)
{
	while (READ_ONCE(vcpu->ready)) {
		if (vcpu->arch.halted)
			break;
		smp_mb();
		WRITE_ONCE(vcpu->arch.halted, true);
	}
	preempt_enable();
}
""",
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_lower_gives_equal_ir_from_both_languages(name: str) -> None:
    python, c = PAIRS[name]
    want = lower_py(python)
    decls = program()
    decls.funcs["f"] = Signature("f", want.params, want.ret)
    assert body(lower_c(c, decls)) == body(want)

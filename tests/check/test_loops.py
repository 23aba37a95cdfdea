"""Loops that a patch brings: how often they go round nobody knows, and nobody need."""

from __future__ import annotations

import pytest

import loadput as lp

WAKE = """bool kvm_vcpu_wake_up(struct kvm_vcpu *vcpu)
{{
	int i = 0;

	if (!__kvm_vcpu_wake_up(vcpu))
		return false;
	{loop}
	{last}
	return true;
}}
"""
READY = "WRITE_ONCE(vcpu->ready, true);"
LOOPS = {
    "to an end that nobody knows": "for (i = 0; i < many(vcpu); i++)\n		next(vcpu, i);",
    "while it is asked": "while (more(vcpu))\n		i++;",
    "out of the midst": "for (;;) {\n		if (!again(vcpu))\n			break;\n		i++;\n	}",
    "until it worked": "do {\n		i = atomic_read(&vcpu->n);\n	} while (!try_it(vcpu, i));",
    "a thousand times": "for (i = 0; i < 1000; i++)\n		next(vcpu, i);",
    "while a flag is set": "while (READ_ONCE(vcpu->ready))\n		cpu_relax();",
}


def judge(loop: str, last: str = READY) -> lp.Judged:
    text = WAKE.format(loop=loop, last=last)
    return lp.judge(text, arch="svm", scenario="one", base="v6.12")


@pytest.mark.parametrize("how", LOOPS)
def test_a_loop_that_does_nothing_to_what_is_modelled(how: str) -> None:
    j = judge(LOOPS[how])
    assert j.verdict in ("no property minds", "changes nothing that is modelled")
    assert j.exit_code == 0


@pytest.mark.parametrize("how", LOOPS)
def test_what_a_loop_goes_round_instead_of_is_missed(how: str) -> None:
    """Where the end of the loop is for nobody to say, so is the violation behind it."""
    j = judge(LOOPS[how], last="")
    is_known = how in ("a thousand times", "while a flag is set")
    assert (j.verdict, j.exit_code) == (("violated", 1) if is_known else ("not decided", 4))
    assert "WOKEN-IS-READY" in j.text()


def test_what_rests_on_how_often_is_not_decided() -> None:
    j = judge(LOOPS["to an end that nobody knows"], last=f"if (i < 3)\n		{READY}")
    assert (j.verdict, j.exit_code) == ("not decided", 4)


def test_what_rests_on_a_count_that_is_too_long_to_follow_is_not_decided() -> None:
    """No other value outside of the model is there: the loop's own count is one."""
    loop = "for (i = 0; i < 5000; i++)\n		cpu_relax();"
    j = judge(loop, last=f"if (i > 3)\n		{READY}")
    assert j.exit_code == 4 and "how often a loop goes round" in " ".join(j.text().split())

"""The differential run tells what a property would tell."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

BODY = """static void svm_vcpu_load(struct kvm_vcpu *vcpu, int cpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	struct svm_cpu_data *sd = per_cpu_ptr(&svm_data, cpu);

	if (vcpu->scheduled_out && !kvm_pause_in_guest(vcpu->kvm))
		shrink_ple_window(vcpu);

	if (sd->current_vmcb != svm->vmcb) {
		sd->current_vmcb = svm->vmcb;
		indirect_branch_prediction_barrier();
	}
}
"""


@pytest.mark.parametrize(
    ("cut", "verdict"),
    [
        ("", "equivalent"),  # without AVIC, which the scenario has not
        ("\t\tindirect_branch_prediction_barrier();\n", "differs"),
        ("\t\tsd->current_vmcb = svm->vmcb;\n", "differs"),
        ("vcpu->scheduled_out && ", "differs"),
        ("\t\tshrink_ple_window(vcpu);\n", "differs"),
    ],
)
def test_a_call_that_only_a_property_sees_counts(
    tmp_path: Path, loadput: Callable[..., CompletedProcess[str]], cut: str, verdict: str
) -> None:
    text = BODY.replace(cut, "\t\t;\n" if "shrink" in cut else "") if cut else BODY
    (tmp_path / "a.c").write_text(text)
    at = ("--arch", "svm", "--scenario", "one", "--base", "v6.12", "--json", "-")
    done = loadput("check", "a.c", *at)
    (program,) = json.loads(done.stdout)["programs"]
    assert [e["verdict"] for e in program["equivalence"]] == [verdict]

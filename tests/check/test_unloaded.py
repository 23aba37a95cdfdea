"""A register that nothing loads any more is one that the guest lacks, and is asked for still."""

from __future__ import annotations

from pathlib import Path

import loadput as lp

from .test_moved_code import diff, first

FILE = "arch/s390/kvm/kvm-s390.c"
ENABLE = "	gmap_enable(vcpu->arch.enabled_gmap);\n"
DISABLE = """	vcpu->arch.enabled_gmap = gmap_get_enabled();
	gmap_disable(vcpu->arch.enabled_gmap);
"""
C = f"""void kvm_arch_vcpu_load(struct kvm_vcpu *vcpu, int cpu)
{{
{ENABLE}	kvm_s390_set_cpuflags(vcpu, CPUSTAT_RUNNING);
}}

void kvm_arch_vcpu_put(struct kvm_vcpu *vcpu)
{{
	kvm_s390_clear_cpuflags(vcpu, CPUSTAT_RUNNING);
{DISABLE}}}
"""


def test_a_patch_that_takes_out_every_load_and_save_of_a_register(tmp_path: Path) -> None:
    at = tmp_path / "linux" / FILE
    at.parent.mkdir(parents=True)
    at.write_text(C)
    text = diff(FILE, C, (ENABLE, ""), (DISABLE, ""))
    j = lp.judge(text, tree=tmp_path / "linux", arch="s390", scenario="one", base="v6.12")
    assert first(j) == "NEW VIOLATION: GUEST-STATE-COHERENT (s390)"

"""The load does not ask whose CSRs the CPU has.

Ours: kvm_arch_vcpu_load() of v7.2 without the test of kvm_former_vcpu.
"""

OVERLAY = Overlay(
    name="riscv_skip_without_former",
    parent="D",
    release="v7.2",
    arch="riscv",
    breaks="GUEST_STATE_COHERENT, CSR_SKIP_TRUE",
    scenario="shared",
)

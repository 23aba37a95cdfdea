"""Setting guest debugging does not mark the CSRs as changed.

Ours: kvm_riscv_vcpu_config_guest_debug() of v7.2 without csr_dirty.
"""

OVERLAY = Overlay(
    name="riscv_debug_without_dirty",
    parent="D",
    release="v7.2",
    arch="riscv",
    breaks="GUEST_STATE_COHERENT",
)

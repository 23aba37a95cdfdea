"""The load leaves VSTIMECMP as it is.

Ours: kvm_arch_vcpu_load() of v7.3 where kvm_riscv_vcpu_timer_restore() does nothing.
"""

OVERLAY = Overlay(
    name="riscv_load_keeps_timer",
    parent="D",
    release="v7.3",
    arch="riscv",
    breaks="GUEST_STATE_COHERENT",
)

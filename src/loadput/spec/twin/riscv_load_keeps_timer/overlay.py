"""The load leaves VSTIMECMP as it is.

Ours: kvm_arch_vcpu_load() where kvm_riscv_vcpu_timer_restore() does nothing.
"""

OVERLAY = Overlay(
    name="riscv_load_keeps_timer", parent="D", arch="riscv", breaks="GUEST_STATE_COHERENT"
)

"""Broken on purpose: the vCPU remembers the CPU of its last guest exit, not of its last put."""

OVERLAY = Overlay(
    name="loongarch_exit_cpu", parent="D", arch="loongarch", breaks="INTERRUPT_KEPT", scenario="comes-back"
)

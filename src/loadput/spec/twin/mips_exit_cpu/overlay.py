"""Broken on purpose: the vCPU remembers the CPU of its last guest exit, not of its last put."""

OVERLAY = Overlay(
    name="mips_exit_cpu", parent="D", arch="mips", breaks="GUEST_STATE_COHERENT", scenario="comes-back"
)

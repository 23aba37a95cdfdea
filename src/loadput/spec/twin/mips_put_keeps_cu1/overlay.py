"""Broken on purpose: a put leaves the guest's FP registers on, for the task to use."""

OVERLAY = Overlay(
    name="mips_put_keeps_cu1", parent="D", arch="mips", breaks="HOST_RESTORED"
)

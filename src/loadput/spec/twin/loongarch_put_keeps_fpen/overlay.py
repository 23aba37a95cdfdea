"""Broken on purpose: a put leaves the guest's FP registers on, for the task to use."""

OVERLAY = Overlay(
    name="loongarch_put_keeps_fpen", parent="D", arch="loongarch", breaks="HOST_RESTORED"
)

"""Broken on purpose: a put by the scheduler leaves the guest's KERNEL_GS_BASE."""

OVERLAY = Overlay(
    name="kgs_kept",
    parent="D",
    arch="vmx",
    breaks="HOST_RESTORED, GSL_RESET",
)

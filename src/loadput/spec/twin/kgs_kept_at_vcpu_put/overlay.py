"""Broken on purpose: vcpu_put leaves the guest's KERNEL_GS_BASE."""

OVERLAY = Overlay(
    name="kgs_kept_at_vcpu_put",
    parent="D",
    arch="vmx",
    breaks="HOST_RESTORED, URET_GUEST",
)

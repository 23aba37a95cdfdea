"""Broken on purpose: vcpu->mode says OUTSIDE_GUEST_MODE while the guest runs."""

OVERLAY = Overlay(name="mode_never_in_guest", parent="D", arch="svm", breaks="ENTRY_MODE")

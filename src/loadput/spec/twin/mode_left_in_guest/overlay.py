"""Broken on purpose: mode is IN_GUEST_MODE again after the exit."""

OVERLAY = Overlay(name="mode_left_in_guest", parent="D", arch="svm", breaks="IN_GUEST_PINNED")

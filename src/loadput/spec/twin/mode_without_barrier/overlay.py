"""Broken on purpose: nothing orders the store of IN_GUEST_MODE before the test of requests."""

OVERLAY = Overlay(
    name="mode_without_barrier", parent="D", arch="svm,vmx", breaks="NO_LOST_KICK", memory="tso"
)

"""Broken on purpose: mode is set after the requests are tested."""

OVERLAY = Overlay(
    name="mode_set_after_request_test",
    parent="D",
    arch="svm,vmx",
    breaks="NO_LOST_KICK",
    scenario="comes-back",
)

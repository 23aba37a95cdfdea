"""Broken on purpose: the way into the guest looks for interrupts before it can be kicked."""

OVERLAY = Overlay(
    name="loongarch_mode_set_late",
    parent="D",
    arch="loongarch",
    breaks="NO_LOST_INTERRUPT",
    scenario="comes-back",
)

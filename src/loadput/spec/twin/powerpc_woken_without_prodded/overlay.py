"""Broken on purpose: a vCPU that has been prodded sleeps all the same."""

OVERLAY = Overlay(
    name="powerpc_woken_without_prodded",
    parent="D",
    arch="powerpc",
    breaks="NO_LOST_WAKEUP",
    scenario="prod",
)

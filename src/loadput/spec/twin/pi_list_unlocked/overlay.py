"""Broken on purpose: a vCPU leaves the list of those to wake without its lock."""

OVERLAY = Overlay(
    name="pi_list_unlocked",
    parent="D",
    arch="vmx",
    breaks="WAKEUP_LIST_LOCKED",
    scenario="posted",
)

"""Broken on purpose: a CPU goes offline with VMCSs active on it."""

OVERLAY = Overlay(
    name="offline_keeps_vmcs",
    parent="D",
    arch="vmx",
    breaks="VMCS_CLEAR_OFFLINE",
    scenario="unplug",
)

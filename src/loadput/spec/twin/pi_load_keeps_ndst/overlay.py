"""Broken on purpose: notifications go to the CPU that the vCPU was on first."""

OVERLAY = Overlay(
    name="pi_load_keeps_ndst",
    parent="D",
    arch="vmx",
    breaks="PI_NOTIFIED",
    scenario="posted-smp",
)

"""Broken on purpose: a VMCS that is active elsewhere is loaded without VMCLEAR there."""

OVERLAY = Overlay(
    name="no_vmclear", parent="D", arch="vmx", breaks="VMCS_ONE_CPU", scenario="comes-back"
)

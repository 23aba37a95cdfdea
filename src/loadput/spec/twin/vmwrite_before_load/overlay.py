"""Broken on purpose: the PLE window is written to the VMCS before VMPTRLD."""

OVERLAY = Overlay(
    name="vmwrite_before_load", parent="D", arch="vmx", breaks="VMCS_CURRENT", scenario="shared"
)

"""Broken on purpose: a VMCS is active before it is on its CPU's list."""

OVERLAY = Overlay(
    name="vmcs_listed_late",
    parent="D",
    arch="vmx",
    breaks="VMCS_LISTED",
    scenario="unplug",
    signatures="vmx_vcpu_load_vmcs",
)

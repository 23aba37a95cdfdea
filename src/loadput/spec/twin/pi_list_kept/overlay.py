"""Broken on purpose: a vCPU that goes on running stays on the list of those to wake."""

OVERLAY = Overlay(
    name="pi_list_kept",
    parent="D",
    arch="vmx",
    breaks="LIST_ADD",
    scenario="posted",
)

"""Broken on purpose: a vCPU leaves this CPU's list of those to wake, wherever it went to sleep."""

OVERLAY = Overlay(
    name="pi_list_of_this_cpu",
    parent="D",
    arch="vmx",
    breaks="LIST_DEL",
    scenario="posted-smp",
)

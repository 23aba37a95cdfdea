"""Broken on purpose: preempted and ready are never cleared."""

OVERLAY = Overlay(name="flags_never_cleared", parent="D", breaks="VCPU_PUT_CLEAN")

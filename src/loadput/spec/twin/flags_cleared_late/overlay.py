"""Broken on purpose: preempted and ready are cleared after the load."""

OVERLAY = Overlay(name="flags_cleared_late", parent="D", breaks="ASYMMETRY")

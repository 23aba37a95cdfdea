"""Broken on purpose: the vCPU is not loaded when its task comes back."""

OVERLAY = Overlay(name="no_load_at_sched_in", parent="D", breaks="PUT_BEFORE_LOAD")

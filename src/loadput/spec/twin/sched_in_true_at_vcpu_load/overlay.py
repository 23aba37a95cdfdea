"""Broken on purpose: vcpu_load passes true."""

OVERLAY = Overlay(name="sched_in_true_at_vcpu_load", parent="B", breaks="SCHED_IN_ARGUMENT")

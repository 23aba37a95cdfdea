"""Broken on purpose: the vCPU stays loaded when its task is switched out."""

OVERLAY = Overlay(name="no_put_at_sched_out", parent="D", breaks="AT_MOST_ONE_CPU")

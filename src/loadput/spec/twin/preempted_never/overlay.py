"""Broken on purpose: no vCPU is ever marked preempted."""

OVERLAY = Overlay(name="preempted_never", parent="D", breaks="PREEMPTED_WHEN_RUNNABLE")

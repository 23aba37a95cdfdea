"""Broken on purpose: the load runs with interrupts off."""

OVERLAY = Overlay(name="load_with_irqs_off", parent="D", breaks="SCHED_IN_CONTEXT")

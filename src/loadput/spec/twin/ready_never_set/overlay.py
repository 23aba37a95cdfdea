"""Broken on purpose: ready is never set."""

OVERLAY = Overlay(name="ready_never_set", parent="D", breaks="PREEMPTED_IS_READY, WOKEN_IS_READY")

"""Broken on purpose: the run queue's lock is never let go."""

OVERLAY = Overlay(name="rq_lock_kept", parent="D", breaks="ALL_BLOCKED")

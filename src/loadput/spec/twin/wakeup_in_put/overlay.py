"""Broken on purpose: a task is woken under the rq lock."""

OVERLAY = Overlay(name="wakeup_in_put", parent="D", breaks="SCHED_OUT_CONTEXT")

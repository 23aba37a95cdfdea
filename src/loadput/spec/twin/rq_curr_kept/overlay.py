"""Broken on purpose: after a switch the run queue still has the task that went as current."""

OVERLAY = Overlay(name="rq_curr_kept", parent="D", breaks="RQ_CURR")

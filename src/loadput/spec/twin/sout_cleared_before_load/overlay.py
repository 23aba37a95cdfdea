"""Broken on purpose: scheduled_out is cleared before the load."""

OVERLAY = Overlay(name="sout_cleared_before_load", parent="D", breaks="SOUT_AT_LOAD")

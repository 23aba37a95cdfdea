"""Broken on purpose: scheduled_out is set after the put."""

OVERLAY = Overlay(
    name="sout_set_after_put", parent="D", breaks="SOUT_AT_PUT, PREEMPTED_IMPLIES_SOUT"
)

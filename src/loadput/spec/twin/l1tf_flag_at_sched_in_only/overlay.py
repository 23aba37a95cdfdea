"""Broken on purpose: a load that is not the scheduler's asks for no flush of the L1 data cache."""

OVERLAY = Overlay(name="l1tf_flag_at_sched_in_only", parent="D", arch="vmx", breaks="L1D_FLUSHED")

"""Broken on purpose for v6.1.192: its kvm_sched_out() does not look at wants_to_run."""

OVERLAY = Overlay(name="wants_honoured", parent="D", breaks="PREEMPTED_IFF_RUN")

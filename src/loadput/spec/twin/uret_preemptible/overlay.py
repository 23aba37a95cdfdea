"""Broken on purpose: the guest gets its MSRs before preemption goes off."""

OVERLAY = Overlay(name="uret_preemptible", parent="D", arch="svm", breaks="PER_CPU_PINNED")

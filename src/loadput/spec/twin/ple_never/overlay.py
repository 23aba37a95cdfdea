"""Broken on purpose: scheduled_out is cleared before the load, as preempted and ready are."""

OVERLAY = Overlay(name="ple_never", parent="D", arch="svm,vmx", breaks="PLE_ONCE")

"""Broken on purpose: a signal does not end KVM_RUN."""

OVERLAY = Overlay(name="arm64_signal_not_handled", parent="D", arch="arm64", breaks="WORK_HANDLED")

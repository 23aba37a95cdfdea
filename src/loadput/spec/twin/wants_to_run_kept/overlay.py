"""Broken on purpose: wants_to_run outlives KVM_RUN."""

OVERLAY = Overlay(name="wants_to_run_kept", parent="D", breaks="WTR_SCOPE")

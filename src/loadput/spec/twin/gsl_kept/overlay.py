"""Broken on purpose: a put by the scheduler leaves guest_state_loaded set."""

OVERLAY = Overlay(name="gsl_kept", parent="D", arch="svm", breaks="GSL_RESET")

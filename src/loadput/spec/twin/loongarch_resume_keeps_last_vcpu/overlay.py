"""Broken on purpose: a CPU that comes up again is taken to hold the CSRs that it had."""

OVERLAY = Overlay(
    name="loongarch_resume_keeps_last_vcpu", parent="D", arch="loongarch", breaks="GUEST_STATE_COHERENT", scenario="resume"
)

"""Broken on purpose: the put leaves CPUSTAT_RUNNING set."""

OVERLAY = Overlay(
    name="s390_put_keeps_running", parent="D", arch="s390", breaks="SIE_RUNNING"
)

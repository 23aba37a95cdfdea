"""Broken on purpose: a synchronous request does not wait until the vCPU is out of SIE."""

OVERLAY = Overlay(
    name="s390_request_without_exit", parent="D", arch="s390", breaks="NO_LOST_KICK", scenario="exit-sie"
)

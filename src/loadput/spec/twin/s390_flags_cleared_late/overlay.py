"""Broken on purpose: the flags that make SIE intercept are cleared after the delivery."""

OVERLAY = Overlay(
    name="s390_flags_cleared_late", parent="D", arch="s390", breaks="NO_LOST_INTERRUPT"
)

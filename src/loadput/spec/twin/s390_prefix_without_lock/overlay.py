"""Broken on purpose: the prefix is mapped again without the lock under which it is unmapped."""

OVERLAY = Overlay(
    name="s390_prefix_without_lock", parent="D", arch="s390", breaks="TLB_FRESH", scenario="exit-sie"
)

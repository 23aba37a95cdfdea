"""Broken on purpose: the load forgets the time that the task had lost."""

OVERLAY = Overlay(
    name="powerpc_load_counts_nothing", parent="D", arch="powerpc", breaks="STEAL_COUNTED"
)

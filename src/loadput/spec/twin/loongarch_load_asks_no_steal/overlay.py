"""Broken on purpose: a load does not ask for the steal time."""

OVERLAY = Overlay(
    name="loongarch_load_asks_no_steal", parent="D", arch="loongarch", breaks="STEAL_COUNTED"
)

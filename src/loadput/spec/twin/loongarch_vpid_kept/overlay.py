"""Broken on purpose: a vCPU that comes to another CPU keeps the VPID that it had there."""

OVERLAY = Overlay(
    name="loongarch_vpid_kept", parent="D", arch="loongarch", breaks="TLB_FRESH", scenario="migration"
)

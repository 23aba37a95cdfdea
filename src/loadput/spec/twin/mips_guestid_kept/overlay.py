"""Broken on purpose: a vCPU that comes to another CPU keeps the GuestID that it had there."""

OVERLAY = Overlay(
    name="mips_guestid_kept", parent="D", arch="mips", breaks="TLB_FRESH", scenario="migration"
)

"""Broken on purpose: the load asks where the vCPU was, not whose registers the CPU holds."""

OVERLAY = Overlay(
    name="mips_one_sided", parent="D", arch="mips", breaks="GUEST_STATE_COHERENT", scenario="shared"
)

"""Broken on purpose: the load asks where the vCPU was, not whose CSRs the CPU holds."""

OVERLAY = Overlay(
    name="loongarch_one_sided",
    parent="D",
    arch="loongarch",
    breaks="GUEST_STATE_COHERENT",
    scenario="shared",
)

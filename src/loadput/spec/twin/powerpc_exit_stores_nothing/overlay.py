"""Broken on purpose: the guest's FP registers are not stored after its exit."""

OVERLAY = Overlay(
    name="powerpc_exit_stores_nothing", parent="D", arch="powerpc", breaks="GUEST_STATE_COHERENT, MEMORY_FRESH"
)

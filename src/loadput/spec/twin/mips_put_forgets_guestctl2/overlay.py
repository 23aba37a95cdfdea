"""Broken on purpose: a put does not save the interrupts that are on their way into the guest."""

OVERLAY = Overlay(
    name="mips_put_forgets_guestctl2",
    parent="D",
    arch="mips",
    breaks="INTERRUPT_KEPT",
    scenario="comes-back",
)

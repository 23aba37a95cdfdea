"""Broken on purpose: a put does not save the interrupts that are on their way into the guest."""

OVERLAY = Overlay(
    name="loongarch_put_forgets_gintc", parent="D", arch="loongarch", breaks="INTERRUPT_KEPT"
)

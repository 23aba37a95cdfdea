"""Broken on purpose: a load takes the wakeup handler's lock with interrupts on."""

OVERLAY = Overlay(
    name="pi_lock_irqs_on",
    parent="D",
    arch="vmx",
    breaks="WAKEUP_LOCK_IRQS_OFF",
    scenario="posted",
)

"""Broken on purpose: the guest is entered with interrupts on."""

OVERLAY = Overlay(name="entry_with_irqs_on", parent="D", arch="svm", breaks="ENTRY_CONTEXT")

"""Broken on purpose: a load marks the entry running though the vCPU is about to wait."""

OVERLAY = Overlay(
    name="avic_load_while_blocking",
    parent="D",
    arch="svm",
    breaks="NO_LOST_WAKEUP",
    scenario="avic",
)

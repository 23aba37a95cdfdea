"""Broken on purpose: the way into SIE asks for a request, not whether the vCPU is blocked."""

OVERLAY = Overlay(
    name="s390_sie_when_blocked",
    parent="D",
    arch="s390",
    breaks="HALTED_WHILE_HELD",
    scenario="set-tod",
)

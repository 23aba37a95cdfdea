"""Broken on purpose: a put leaves LDTR as the last VM-exit has left it."""

OVERLAY = Overlay(
    name="ldt_not_given_back",
    parent="D",
    arch="vmx",
    breaks="HOST_RESTORED_AT_USER_LDT",
    scenario="ldt-one",
)

"""Broken on purpose: a new LDT reaches no CPU that has the mm loaded."""

OVERLAY = Overlay(
    name="ldt_no_flush",
    parent="D",
    arch="svm",
    breaks="LDT_FRESH, HOST_RESTORED_AT_USER_LDT",
    scenario="ldt-one",
)

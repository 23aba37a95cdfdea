"""Broken on purpose: VMSAVE leaves the LDTR that is in the save area there."""

OVERLAY = Overlay(
    name="ldtr_saved_once", parent="D", arch="svm", breaks="LDT_KEPT", scenario="ldt-one"
)

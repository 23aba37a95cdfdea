"""Broken on purpose: a CPU gives its next vCPU the ASID that the last one got."""

OVERLAY = Overlay(
    name="svm_asid_shared", parent="D", arch="svm", breaks="TLB_PRIVATE", scenario="flush"
)

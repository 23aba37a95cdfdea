"""Broken on purpose: a vCPU that goes to another CPU leaves its translations behind."""

OVERLAY = Overlay(
    name="powerpc_no_flush_behind", parent="D", arch="powerpc", breaks="TLB_FRESH", scenario="migration"
)

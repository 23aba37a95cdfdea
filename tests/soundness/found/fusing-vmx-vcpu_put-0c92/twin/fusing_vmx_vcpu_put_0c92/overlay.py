"""Drawn."""

OVERLAY = Overlay(name="fusing_vmx_vcpu_put_0c92", parent="D", arch="vmx")

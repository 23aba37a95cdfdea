"""Drawn."""

OVERLAY = Overlay(name="spin_vmx___kvm_vcpu_wake_up_78dd", parent="D", arch="vmx", release="v6.1")

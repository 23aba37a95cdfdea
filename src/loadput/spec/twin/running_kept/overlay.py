"""Broken on purpose: kvm_running_vcpu outlives vcpu_put."""

OVERLAY = Overlay(name="running_kept", parent="D", breaks="RUNNING_EXACT")

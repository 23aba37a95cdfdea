"""Broken on purpose: kvm_running_vcpu is cleared before the put."""

OVERLAY = Overlay(name="running_cleared_before_put", parent="D", breaks="LOADED_IMPLIES_RUNNING")

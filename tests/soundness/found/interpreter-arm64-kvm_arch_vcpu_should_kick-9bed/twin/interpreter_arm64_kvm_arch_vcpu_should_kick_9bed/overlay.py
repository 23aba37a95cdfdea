"""Drawn."""

OVERLAY = Overlay(name="interpreter_arm64_kvm_arch_vcpu_should_kick_9bed", parent="D", arch="arm64")

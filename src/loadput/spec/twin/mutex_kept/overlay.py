"""Broken on purpose: KVM_RUN ends with vcpu->mutex held."""

OVERLAY = Overlay(name="mutex_kept", parent="D", breaks="IOCTL_CLEAN")

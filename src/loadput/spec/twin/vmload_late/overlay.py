"""Broken on purpose: the host's state is loaded at vcpu_put, not at every #VMEXIT."""

OVERLAY = Overlay(name="vmload_late", parent="D", arch="svm", breaks="HOST_RESTORED")

"""Broken on purpose: every load shrinks the PLE window."""

OVERLAY = Overlay(name="ple_at_every_load", parent="D", arch="svm,vmx", breaks="PLE_ONCE")

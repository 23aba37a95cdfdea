"""Broken on purpose: the user-return notifier is never registered."""

OVERLAY = Overlay(name="uret_not_fired", parent="D", arch="svm,vmx", breaks="URET")

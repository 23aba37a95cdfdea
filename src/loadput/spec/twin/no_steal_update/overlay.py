"""Broken on purpose: the steal-time request is made only on another CPU."""

OVERLAY = Overlay(name="no_steal_update", parent="D", arch="svm,vmx", breaks="STEAL_BYTE")

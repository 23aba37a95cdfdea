"""Broken on purpose: a vCPU that has halted stays halted."""

OVERLAY = Overlay(name="halted_kept", parent="D", arch="svm", breaks="WAITS_NO_LONGER")

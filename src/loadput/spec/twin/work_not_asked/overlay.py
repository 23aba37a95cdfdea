"""Broken on purpose: nobody asks, with interrupts off, whether a signal waits."""

OVERLAY = Overlay(name="work_not_asked", parent="D", arch="svm", breaks="WORK_ASKED")

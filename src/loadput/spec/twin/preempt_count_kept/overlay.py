"""Broken on purpose: a vCPU that does not enter its guest keeps preemption off."""

OVERLAY = Overlay(name="preempt_count_kept", parent="D", arch="svm", breaks="CONTEXT_BALANCED")

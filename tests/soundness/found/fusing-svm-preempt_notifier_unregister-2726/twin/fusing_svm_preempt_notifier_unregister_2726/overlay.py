"""Drawn."""

OVERLAY = Overlay(name="fusing_svm_preempt_notifier_unregister_2726", parent="D", arch="svm")

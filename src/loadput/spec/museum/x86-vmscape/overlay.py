"""User mode runs on what a guest has taught the CPU's branch predictor.

Before Linux commit 2f8f173413f1 ("x86/vmscape: Add conditional IBPB mitigation")
"""

OVERLAY = Overlay(name="x86-vmscape", parent="D", arch="svm", breaks="PREDICTOR_AT_USER")

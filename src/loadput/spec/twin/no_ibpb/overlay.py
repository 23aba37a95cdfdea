"""Broken on purpose: no barrier when another vCPU's VMCB becomes current."""

OVERLAY = Overlay(name="no_ibpb", parent="D", arch="svm", breaks="IBPB")

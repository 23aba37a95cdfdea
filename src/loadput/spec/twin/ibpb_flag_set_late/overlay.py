"""Broken on purpose: the CPU that a task goes on on is marked, not the one that ran its guest."""

OVERLAY = Overlay(
    name="ibpb_flag_set_late",
    parent="D",
    arch="svm",
    breaks="PREDICTOR_AT_USER",
    scenario="vmscape",
)

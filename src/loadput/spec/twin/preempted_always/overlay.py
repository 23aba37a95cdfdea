"""Broken on purpose: a vCPU is marked preempted whenever its task is switched out."""

OVERLAY = Overlay(name="preempted_always", parent="D", breaks="PREEMPTED_IFF_RUN")

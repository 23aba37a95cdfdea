"""Broken on purpose for v6.12: a vCPU that blocked is marked preempted too."""

OVERLAY = Overlay(name="on_rq_ignored", parent="D", breaks="PREEMPTED_IFF_RUN")

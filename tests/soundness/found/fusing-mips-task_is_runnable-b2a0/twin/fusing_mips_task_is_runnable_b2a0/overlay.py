"""Drawn."""

OVERLAY = Overlay(name="fusing_mips_task_is_runnable_b2a0", parent="D", arch="mips")

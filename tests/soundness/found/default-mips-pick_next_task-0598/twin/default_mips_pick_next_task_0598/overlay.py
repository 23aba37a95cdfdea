"""Drawn."""

OVERLAY = Overlay(name="default_mips_pick_next_task_0598", parent="D", arch="mips")

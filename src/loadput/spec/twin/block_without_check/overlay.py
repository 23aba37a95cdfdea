"""Broken on purpose: a vCPU waits without looking first."""

OVERLAY = Overlay(name="block_without_check", parent="D", breaks="NO_LOST_WAKEUP")

"""Drawn."""

OVERLAY = Overlay(name="fusing_arm64_nvhe___schedule_9eff", parent="D", arch="arm64-nvhe")

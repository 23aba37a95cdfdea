"""Drawn."""

OVERLAY = Overlay(name="fusing_powerpc___schedule_5522", parent="D", arch="powerpc")

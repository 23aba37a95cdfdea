"""Broken on purpose: a kick sends no IPI."""

OVERLAY = Overlay(
    name="kick_without_ipi", parent="D", breaks="KICK_SENDS_IPI", scenario="comes-back"
)

"""Broken on purpose: a guest that comes out and goes in again gets no interrupt on the way."""

OVERLAY = Overlay(
    name="mips_reenters_undelivered", parent="D", arch="mips", breaks="INTERRUPT_DELIVERED"
)

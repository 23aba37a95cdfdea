"""Drawn."""

OVERLAY = Overlay(name="fusing_s390_disable_cpu_timer_accounting_8b35", parent="D", arch="s390")

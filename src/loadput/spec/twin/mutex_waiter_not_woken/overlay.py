"""Broken on purpose: who waits for a vCPU's mutex is not woken when it is free."""

OVERLAY = Overlay(
    name="mutex_waiter_not_woken", parent="D", breaks="UNLOCK_WAKES", scenario="threads"
)

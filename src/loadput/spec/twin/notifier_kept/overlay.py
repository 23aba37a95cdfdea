"""Broken on purpose: the notifier outlives vcpu_put."""

OVERLAY = Overlay(name="notifier_kept", parent="D", breaks="NOTIFIER_IFF, USER_RETURN_CLEAN")

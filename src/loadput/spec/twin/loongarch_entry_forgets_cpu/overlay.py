"""Broken on purpose: the way into the guest leaves vcpu->cpu as it was."""

OVERLAY = Overlay(
    name="loongarch_entry_forgets_cpu", parent="D", arch="loongarch", breaks="CPU_FIELD"
)

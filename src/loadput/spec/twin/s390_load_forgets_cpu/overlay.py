"""Broken on purpose: the load does not set vcpu->cpu."""

OVERLAY = Overlay(
    name="s390_load_forgets_cpu", parent="D", arch="s390", breaks="CPU_FIELD"
)

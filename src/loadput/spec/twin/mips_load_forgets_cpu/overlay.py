"""Broken on purpose: the load does not set vcpu->cpu."""

OVERLAY = Overlay(
    name="mips_load_forgets_cpu", parent="D", arch="mips", breaks="CPU_FIELD"
)

"""Broken on purpose: the put leaves vcpu->cpu as it is."""

OVERLAY = Overlay(
    name="mips_put_keeps_cpu", parent="D", arch="mips", breaks="CPU_FIELD_PUT"
)

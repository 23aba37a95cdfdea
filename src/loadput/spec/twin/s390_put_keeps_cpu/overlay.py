"""Broken on purpose: the put leaves vcpu->cpu as it is."""

OVERLAY = Overlay(
    name="s390_put_keeps_cpu", parent="D", arch="s390", breaks="CPU_FIELD_PUT"
)

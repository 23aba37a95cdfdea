"""The put leaves vcpu->cpu as it is.

Ours: what x86 does, on an architecture that takes -1 for "not loaded".
"""

OVERLAY = Overlay(name="arm64_put_keeps_cpu", parent="D", arch="arm64", breaks="CPU_FIELD_PUT")

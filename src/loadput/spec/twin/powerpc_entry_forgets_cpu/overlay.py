"""Broken on purpose: the way into the guest sets vcpu->cpu, not arch.thread_cpu."""

OVERLAY = Overlay(
    name="powerpc_entry_forgets_cpu", parent="D", arch="powerpc", breaks="CPU_FIELD"
)

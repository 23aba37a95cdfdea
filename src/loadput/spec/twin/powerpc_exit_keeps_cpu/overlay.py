"""Broken on purpose: out of the guest, arch.thread_cpu stays."""

OVERLAY = Overlay(
    name="powerpc_exit_keeps_cpu", parent="D", arch="powerpc", breaks="CPU_FIELD_PUT"
)

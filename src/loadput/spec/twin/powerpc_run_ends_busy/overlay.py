"""Broken on purpose: after KVM_RUN the vCPU still counts as busy in the host."""

OVERLAY = Overlay(
    name="powerpc_run_ends_busy", parent="D", arch="powerpc", breaks="STEAL_IN_RUN_ONLY"
)

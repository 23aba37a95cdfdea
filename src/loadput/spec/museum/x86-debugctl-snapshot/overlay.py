"""The host's DEBUGCTL is read when the vCPU is loaded.

Before Linux commit 189ecdb3e112 ("KVM: x86: Snapshot the host's DEBUGCTL after disabling IRQs")
"""

OVERLAY = Overlay(
    name="x86-debugctl-snapshot", parent="D", arch="vmx", breaks="HOST_DEBUGCTL"
)

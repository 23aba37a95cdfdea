"""Broken on purpose: a vCPU that waits when a device is assigned goes on waiting as it does.

As before Linux commit a2486020a825 ("KVM: VMX: update vcpu posted-interrupt descriptor when
assigning device")
"""

OVERLAY = Overlay(
    name="assignment_unblocks_nobody",
    parent="D",
    arch="vmx",
    breaks="NO_LOST_WAKEUP",
    scenario="assign",
)

"""A vCPU that waits is asked for interrupts with the mask that its last put saved.

Before Linux commit 5eeaf10eec39 ("KVM: arm/arm64: Sync ICH_VMCR_EL2 back when about to block")
"""

OVERLAY = Overlay(
    name="vgic-vmcr-block",
    parent="D",
    arch="arm64",
    breaks="NO_LOST_WAKEUP, BLOCK_READS_CURRENT",
)

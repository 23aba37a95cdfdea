"""A vCPU is seen outside its guest while its list registers still hold interrupts.

Before Linux commit b2ede7822087 ("KVM: arm64: Move OUTSIDE_GUEST_MODE publication past context
being saved")
"""

OVERLAY = Overlay(
    name="arm64-mode-before-sync",
    parent="D",
    arch="arm64",
    release="v7.3",
    breaks="HALTED_IS_SYNCED",
)

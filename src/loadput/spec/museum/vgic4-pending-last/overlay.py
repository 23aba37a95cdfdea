"""A doorbell that comes at once is overwritten by what the redistributor said a moment before.

Before Linux commit a3f574cd6548 ("KVM: arm64: vgic-v4: Plug race between non-residency and v4.1
doorbell")
"""

OVERLAY = Overlay(name="vgic4-pending-last", parent="D", arch="arm64", breaks="NO_LOST_WAKEUP")

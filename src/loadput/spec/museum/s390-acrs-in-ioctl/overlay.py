"""An ioctl that translates an address takes the CPU's access registers for the guest's.

Before Linux commit 01be7f53dfc2 ("KVM: s390: fix access register usage in ioctls")
"""

OVERLAY = Overlay(
    name="s390-acrs-in-ioctl", parent="D", arch="s390", breaks="MEMORY_FRESH"
)

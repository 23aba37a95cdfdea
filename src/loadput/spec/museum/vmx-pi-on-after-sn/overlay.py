"""A load clears SN and leaves ON as it finds it.

Before Linux commit c112b5f50232 ("KVM: x86: Recompute PID.ON when clearing PID.SN")
"""

OVERLAY = Overlay(
    name="vmx-pi-on-after-sn",
    parent="D",
    arch="vmx",
    breaks="PI_ON_IF_POSTED, PI_NOTIFIED, NO_LOST_WAKEUP",
)

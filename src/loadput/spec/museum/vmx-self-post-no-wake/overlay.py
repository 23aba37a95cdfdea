"""Whoever posts does nothing more where the vCPU is the one that is loaded on his CPU.

Before Linux commit fdba608f15e2 ("KVM: VMX: Wake vCPU when delivering posted IRQ even if vCPU ==
this vCPU")
"""

OVERLAY = Overlay(
    name="vmx-self-post-no-wake", parent="D", arch="vmx", breaks="NO_LOST_WAKEUP"
)

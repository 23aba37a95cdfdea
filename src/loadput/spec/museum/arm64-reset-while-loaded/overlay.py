"""A reset writes a loaded vCPU's registers in memory only, with preemption on.

Before Linux commit e761a927bc9a ("KVM: arm/arm64: Reset the VCPU without preemption and vcpu state
loaded")
"""

OVERLAY = Overlay(
    name="arm64-reset-while-loaded", parent="D", arch="arm64", breaks="GUEST_STATE_COHERENT"
)

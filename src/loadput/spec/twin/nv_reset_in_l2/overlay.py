"""A reset leaves the vCPU where it was, in its guest's guest.

Broken on purpose: kvm_reset_vcpu() that resets neither PSTATE nor HCR_EL2.
"""

OVERLAY = Overlay(
    name="nv_reset_in_l2",
    parent="D",
    arch="arm64-nv",
    breaks="NV_RESET_CONTEXT",
)

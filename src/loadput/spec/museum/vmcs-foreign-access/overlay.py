"""A vCPU that spins asks of a neighbour that is not loaded what only its own thread may ask.

Before Linux commit 17e433b54393 ("KVM: Fix leak vCPU's VMCS value into other pCPU")
"""

OVERLAY = Overlay(
    name="vmcs-foreign-access",
    parent="D",
    arch="vmx",
    breaks="VMCS_CURRENT, RVI_OWN",
)

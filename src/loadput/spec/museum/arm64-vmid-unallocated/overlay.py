"""The VMID is allocated in the run loop, after VTTBR_EL2 was loaded.

Before Linux commit fa808ed4e199 ("KVM: arm64: Ensure a VMID is allocated before programming
VTTBR_EL2")
"""

OVERLAY = Overlay(
    name="arm64-vmid-unallocated", parent="D", arch="arm64", breaks="VMID_ACTIVE"
)

"""The VMID is allocated in the run loop, after VTTBR_EL2 was loaded.

The code before Linux commit fa808ed4e199 ("KVM: arm64: Ensure a VMID is allocated before
programming VTTBR_EL2") (in v6.14): the second vCPU to get there finds the VMID allocated and
keeps the VTTBR_EL2 that it loaded without one.
"""

OVERLAY = Overlay(name="arm64_vmid_at_entry", parent="D", arch="arm64", breaks="VMID_ACTIVE")

"""arm64 with VHE: host and guest share EL2 and EL1, so the guest's registers stay loaded from load to put.

arch/arm64/kvm, v6.12.y; hVHE, nVHE, pKVM and nested virtualization are not here.
"""

OVERLAY = Overlay(name="arm64", source="arch/arm64/kvm/arm.c, v6.12")

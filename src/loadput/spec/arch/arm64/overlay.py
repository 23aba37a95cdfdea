"""arm64 with VHE: the host runs at EL2, so the guest's EL1 registers stay in from load to put.

Sources: arch/arm64/kvm, arch/arm64/kernel, v6.12.y; hVHE, nVHE, pKVM and nested virtualization are
not here.
"""

OVERLAY = Overlay(name="arm64", source="arch/arm64/kvm/arm.c, v6.12")

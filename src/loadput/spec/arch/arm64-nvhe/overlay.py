"""arm64 without VHE: the host runs at EL1, so every entry and exit switches the EL1 registers.

Sources: arch/arm64/kvm/hyp/nvhe, v6.12.y; hVHE and pKVM are not here.
"""

OVERLAY = Overlay(
    name="arm64-nvhe", parent="arm64", source="arch/arm64/kvm/hyp/nvhe/switch.c, v6.12"
)

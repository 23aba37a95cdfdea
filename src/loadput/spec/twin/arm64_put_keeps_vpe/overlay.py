"""A put marks the vPE non-resident, and the hardware is not told.

Broken on purpose: its_make_vpe_non_resident() without its command.
"""

OVERLAY = Overlay(
    name="arm64_put_keeps_vpe",
    parent="D",
    arch="arm64",
    scenario="vgic",
    breaks="VPE_EXCLUSIVE",
)

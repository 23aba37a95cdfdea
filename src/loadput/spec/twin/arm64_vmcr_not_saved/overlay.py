"""A put does not read the guest's priority mask back.

Broken on purpose: __vgic_v3_save_vmcr_aprs() does nothing.
"""

OVERLAY = Overlay(
    name="arm64_vmcr_not_saved",
    parent="D",
    arch="arm64",
    scenario="vgic",
    breaks="GUEST_STATE_COHERENT_VMCR",
)

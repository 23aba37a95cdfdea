"""The guest's guest loses its priority mask at a put.

Broken on purpose: vgic_v3_sync_nested() of v7.3 that does not save ICH_VMCR_EL2.
"""

OVERLAY = Overlay(
    name="nv_vmcr_not_saved",
    parent="D",
    release="v7.3",
    arch="arm64-nv",
    breaks="GUEST_STATE_COHERENT_VMCR",
    scenario="vgic",
)

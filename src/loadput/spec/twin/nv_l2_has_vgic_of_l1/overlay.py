"""The guest's guest runs with the vgic of its hypervisor, as v6.12 has it.

Broken on purpose: vgic_v3_load() of v7.3 that does not ask whether the vgic is nested.
"""

OVERLAY = Overlay(
    name="nv_l2_has_vgic_of_l1",
    parent="D",
    release="v7.3",
    arch="arm64-nv",
    breaks="VPE_RESIDENT, GUEST_STATE_COHERENT_VMCR",
    scenario="vgic",
)

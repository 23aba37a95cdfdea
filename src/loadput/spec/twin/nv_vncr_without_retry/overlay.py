"""A VNCR page is taken from a walk that a TLBI has overtaken.

Ours: kvm_translate_vncr() of v7.3 without its mmu_invalidate_retry().
"""

OVERLAY = Overlay(
    name="nv_vncr_without_retry",
    parent="D",
    release="v7.3",
    arch="arm64-nv",
    breaks="VNCR_FRESH",
    scenario="pair",
)

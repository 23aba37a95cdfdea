"""A put keeps the stage 2 whoever calls it.

Broken on purpose: kvm_vcpu_put_hw_mmu() as if scheduled_out were always set.
"""

OVERLAY = Overlay(
    name="nv_put_keeps_mmu",
    parent="D",
    arch="arm64-nv",
    breaks="STAGE2_OF_CONTEXT, NV_MMU_REF",
)

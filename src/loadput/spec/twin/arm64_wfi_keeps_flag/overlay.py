"""A vCPU that has waited once is taken for one that waits.

Broken on purpose: kvm_vcpu_wfi() without its last vcpu_clear_flag().
"""

OVERLAY = Overlay(
    name="arm64_wfi_keeps_flag",
    parent="D",
    arch="arm64",
    scenario="vgic",
    breaks="VPE_RESIDENT",
)

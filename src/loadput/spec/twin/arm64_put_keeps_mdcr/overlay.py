"""A put leaves the guest's MDCR_EL2 on the CPU.

Ours: kvm_vcpu_put_debug() of v7.3 without its write.
"""

OVERLAY = Overlay(
    name="arm64_put_keeps_mdcr",
    parent="D",
    release="v7.3",
    arch="arm64",
    breaks="HOST_MDCR",
    scenario="one",
)

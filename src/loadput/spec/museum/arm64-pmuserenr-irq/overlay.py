"""The host writes PMUSERENR_EL0 whoever's value is in it.

Before Linux commit 0c2f9acf6ae7 ("KVM: arm64: PMU: Don't overwrite PMUSERENR with vcpu loaded")
"""

OVERLAY = Overlay(
    name="arm64-pmuserenr-irq",
    parent="D",
    arch="arm64",
    breaks="PMUSERENR_TRAPS, HOST_PMUSERENR",
)

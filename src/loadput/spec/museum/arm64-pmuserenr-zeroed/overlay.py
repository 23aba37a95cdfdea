"""The put writes 0 to PMUSERENR_EL0, whatever the host had there.

Before Linux commits 8681f7175901 ("KVM: arm64: PMU: Restore the host's PMUSERENR_EL0"),
0c2f9acf6ae7 ("KVM: arm64: PMU: Don't overwrite PMUSERENR with vcpu loaded")
"""

OVERLAY = Overlay(
    name="arm64-pmuserenr-zeroed",
    parent="D",
    arch="arm64",
    breaks="HOST_PMUSERENR, PMUSERENR_TRAPS",
)

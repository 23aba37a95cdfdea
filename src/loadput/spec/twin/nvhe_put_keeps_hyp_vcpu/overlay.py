"""A put under pKVM leaves the vCPU loaded at the hypervisor.

Ours: handle___pkvm_vcpu_put() of v7.3 without pkvm_put_hyp_vcpu().
"""

OVERLAY = Overlay(
    name="nvhe_put_keeps_hyp_vcpu",
    parent="D",
    release="v7.3",
    arch="arm64-nvhe",
    breaks="PKVM_LOADED",
    scenario="spe",
)

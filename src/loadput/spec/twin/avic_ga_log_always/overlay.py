"""Broken on purpose: a vCPU that is preempted asks the IOMMU for an entry in its log too.

Ours: avic_vcpu_put() of v7.3 with one action for all, as v6.12 knows one state.
"""

OVERLAY = Overlay(
    name="avic_ga_log_always",
    parent="D",
    arch="svm",
    release="v7.3",
    breaks="GA_LOG_IFF_BLOCKING",
    scenario="avic",
)

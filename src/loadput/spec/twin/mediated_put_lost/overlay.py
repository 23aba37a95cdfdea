"""Broken on purpose: the guest's counters stay the CPU's after its exit.

Ours: kvm_mediated_pmu_put() of v7.3 that does nothing.
"""

OVERLAY = Overlay(
    name="mediated_put_lost",
    parent="D",
    arch="svm,vmx",
    release="v7.3",
    breaks="HOST_COUNTERS, KERNEL_WARN",
)

"""Broken on purpose: the guest's PKRU stays after its exit.

Ours: kvm_load_host_pkru() of v7.3 that does nothing.
"""

OVERLAY = Overlay(
    name="host_pkru_kept",
    parent="D",
    arch="svm,vmx",
    release="v7.3",
    breaks="HOST_RESTORED",
)

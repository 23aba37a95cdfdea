"""Broken on purpose: the guest's XCR0 is loaded where the host's is due, and the other way round.

Ours: kvm_load_xfeatures() of v7.3 with its argument turned round.
"""

OVERLAY = Overlay(
    name="xfeatures_swapped",
    parent="D",
    arch="svm,vmx",
    release="v7.3",
    breaks="HOST_XSTATE, GUEST_XSTATE",
)

"""A load notes that the host has SVE, and never that it has not.

Before Linux commit d52d165d67c5 ("KVM: arm64: Always start with clearing SVE flag on load")
"""

OVERLAY = Overlay(
    name="arm64-sve-flag-sticky",
    parent="A",
    arch="arm64",
    release="v6.1",
    breaks="HOST_SVE_AT_USER",
)

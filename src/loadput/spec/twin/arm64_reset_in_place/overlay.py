"""A reset in the run loop writes the registers in memory only.

Ours: kvm_reset_vcpu() without its put and load.
"""

OVERLAY = Overlay(
    name="arm64_reset_in_place", parent="D", arch="arm64", breaks="GUEST_STATE_COHERENT"
)

"""Broken on purpose: KVM_RUN ends with the guest's access registers on the CPU."""

OVERLAY = Overlay(
    name="s390_user_finds_guest_acrs", parent="D", arch="s390", breaks="HOST_RESTORED"
)

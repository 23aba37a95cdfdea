"""Broken on purpose: a put saves no wired TLB entries, the guest's newest."""

OVERLAY = Overlay(
    name="mips_put_keeps_wired", parent="D", arch="mips", breaks="GUEST_STATE_COHERENT"
)

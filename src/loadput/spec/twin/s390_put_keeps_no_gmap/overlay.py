"""Broken on purpose: the put remembers the gmap after it has disabled it."""

OVERLAY = Overlay(
    name="s390_put_keeps_no_gmap", parent="D", arch="s390", release="v6.12", breaks="GUEST_STATE_COHERENT"
)

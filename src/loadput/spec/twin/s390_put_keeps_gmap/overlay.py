"""Broken on purpose: the put leaves the guest's address space to the CPU."""

OVERLAY = Overlay(
    name="s390_put_keeps_gmap", parent="D", arch="s390", release="v6.12", breaks="GMAP_GIVEN_BACK"
)

"""Broken on purpose: the host's state is never saved before VMRUN."""

OVERLAY = Overlay(
    name="no_vmsave", parent="D", arch="svm", breaks="HOST_AREA_FRESH, HOST_RESTORED"
)

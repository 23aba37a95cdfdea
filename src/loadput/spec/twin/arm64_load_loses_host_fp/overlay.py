"""Broken on purpose: a load does not save the task's FP registers, which the guest's then replace."""

OVERLAY = Overlay(
    name="arm64_load_loses_host_fp", parent="D", arch="arm64", breaks="HOST_RESTORED"
)

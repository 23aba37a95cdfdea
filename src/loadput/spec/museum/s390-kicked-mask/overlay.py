"""A vCPU that was kicked and goes back to sleep still counts as kicked.

Before Linux commit 9b57e9d5010b ("KVM: s390: clear kicked_mask before sleeping again")
"""

OVERLAY = Overlay(name="s390-kicked-mask", parent="D", arch="s390", breaks="NO_LOST_WAKEUP")

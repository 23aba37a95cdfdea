"""A CPU that comes online counts its generations of ASIDs from 1 again.

Before Linux commit 25f744ffa0c8 ("KVM: SVM: Bump asid_generation on CPU online to avoid ASID
collision after hotplug")
"""

OVERLAY = Overlay(name="svm-asid-hotplug", parent="D", arch="svm", breaks="TLB_PRIVATE")

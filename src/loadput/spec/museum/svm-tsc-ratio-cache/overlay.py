"""KVM_SET_TSC_KHZ writes the MSR and not what KVM believes that it holds.

Before Linux commit 11d39e8cc43e ("KVM: SVM: fix tsc scaling cache logic")
"""

OVERLAY = Overlay(name="svm-tsc-ratio-cache", parent="D", arch="svm", breaks="GUEST_STATE_COHERENT")

"""The host overwrites the bit that asks it for a flush where it clears the byte.

Between Linux commit 8c6de56a42e0 ("x86/kvm: Be careful not to clear KVM_VCPU_FLUSH_TLB bit") and
Linux commit b043138246a4 ("x86/KVM: Make sure KVM_VCPU_FLUSH_TLB flag is not missed")
"""

OVERLAY = Overlay(
    name="st-flush-bit-copied", parent="D", arch="svm", breaks="DEFERRED_FLUSH, TLB_FRESH"
)

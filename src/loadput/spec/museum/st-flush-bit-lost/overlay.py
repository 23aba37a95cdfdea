"""The host overwrites the bit that asks it for a flush, at a second put and when it clears the byte.

Before Linux commits 8c6de56a42e0 ("x86/kvm: Be careful not to clear KVM_VCPU_FLUSH_TLB bit"),
b043138246a4 ("x86/KVM: Make sure KVM_VCPU_FLUSH_TLB flag is not missed")
"""

OVERLAY = Overlay(
    name="st-flush-bit-lost", parent="D", arch="svm", breaks="DEFERRED_FLUSH, TLB_FRESH"
)

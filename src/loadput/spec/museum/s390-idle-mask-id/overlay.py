"""Who waits is noted by the vCPU's id, and looked up by its index.

Before Linux commit a3e03bc1368c ("KVM: s390: index kvm->arch.idle_mask by vcpu_idx")
"""

OVERLAY = Overlay(
    name="s390-idle-mask-id", parent="D", arch="s390", breaks="NO_LOST_WAKEUP"
)

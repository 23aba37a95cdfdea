"""The put leaves the guest's FP registers on the CPU.

Ours: kvm_arch_vcpu_put() without kvm_arch_vcpu_put_fp().
"""

OVERLAY = Overlay(
    name="arm64_put_keeps_guest_fp", parent="D", arch="arm64", breaks="HOST_RESTORED"
)

"""What is pending for a guest hypervisor waits until its guest comes back by itself.

Broken on purpose: kvm_arch_vcpu_ioctl_run() of v7.3 without kvm_nested_flush_hwstate().
"""

OVERLAY = Overlay(
    name="nv_l2_not_told",
    parent="D",
    release="v7.3",
    arch="arm64-nv",
    breaks="NO_LOST_INTERRUPT",
    scenario="vgic",
)

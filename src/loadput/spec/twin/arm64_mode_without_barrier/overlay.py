"""Nothing orders the store of IN_GUEST_MODE before the test of requests.

Ours: kvm_arch_vcpu_ioctl_run() of v7.3 with WRITE_ONCE() for smp_store_mb().
"""

OVERLAY = Overlay(
    name="arm64_mode_without_barrier",
    parent="D",
    release="v7.3",
    arch="arm64",
    breaks="NO_LOST_KICK",
    memory="weak",
)

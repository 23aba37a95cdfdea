"""The list registers are filled before the last request test.

Ours: kvm_arch_vcpu_ioctl_run() of v7.3 with the order of v6.12.
"""

OVERLAY = Overlay(
    name="arm64_lrs_before_request_test",
    parent="D",
    release="v7.3",
    arch="arm64",
    breaks="HALTED_IS_SYNCED",
    scenario="pause-irq",
)

"""Who lets a VM go does not wake its vCPUs.

Broken on purpose: kvm_arm_resume_guest() without __kvm_vcpu_wake_up().
"""

OVERLAY = Overlay(
    name="arm64_resume_without_wake",
    parent="D",
    arch="arm64",
    scenario="pause",
    breaks="LET_GO_RUNS_AGAIN",
)

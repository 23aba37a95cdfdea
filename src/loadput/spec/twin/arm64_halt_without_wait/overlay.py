"""Who stops a VM does not wait until its vCPUs have left the guest.

Broken on purpose: kvm_make_all_cpus_request() as if without KVM_REQUEST_WAIT.
"""

OVERLAY = Overlay(
    name="arm64_halt_without_wait",
    parent="D",
    arch="arm64",
    scenario="pause",
    breaks="HALTED_WHILE_HELD",
)

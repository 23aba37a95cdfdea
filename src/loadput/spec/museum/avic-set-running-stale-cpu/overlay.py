"""A vCPU that has waited marks its entry running with a CPU that it may have left since.

Before Linux commit 7cfc5c653b07 ("KVM: fix avic_set_running for preemptable kernels"): what
kvm_vcpu_block() calls runs with preemption on.
"""

OVERLAY = Overlay(
    name="avic-set-running-stale-cpu",
    parent="D",
    arch="svm",
    breaks="DOORBELL_REACHES_GUEST, RUNNING_NAMES_CPU",
)

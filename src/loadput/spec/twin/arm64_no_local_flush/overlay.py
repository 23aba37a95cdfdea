"""The load notes last_vcpu_ran but does not flush.

Ours: kvm_arch_vcpu_load() without __kvm_flush_cpu_context().
"""

OVERLAY = Overlay(
    name="arm64_no_local_flush", parent="D", arch="arm64", breaks="TLB_PRIVATE", scenario="shared"
)

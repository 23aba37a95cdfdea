"""What x86 adds to a vCPU.

Mirrors: struct kvm_vcpu_arch, struct kvm_pmu, arch/x86/include/asm/kvm_host.h, v6.12
"""

# The guest uses its PMU: pmu->version and pmu->event_count are not 0.
vpmu_in_use = False


class kvm_pmu(struct, per="vcpu"):
    need_cleanup: bool


class kvm_steal_time(struct, per="vcpu"):
    preempted: bool


class kvm_vcpu_arch(struct):
    pmu: embed[kvm_pmu]
    st: embed[kvm_steal_time]
    l1tf_flush_l1d: bool
    at_instruction_boundary: bool

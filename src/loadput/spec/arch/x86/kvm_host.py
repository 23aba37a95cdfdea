"""What x86 adds to a vCPU.

Mirrors: struct kvm_vcpu_arch, struct kvm_pmu, arch/x86/include/asm/kvm_host.h; struct kvm_steal_time,
arch/x86/include/uapi/asm/kvm_para.h, v6.12
"""

# The guest uses its PMU: pmu->version and pmu->event_count are not 0.
vpmu_in_use = False


class kvm_pmu(struct, per="vcpu"):
    need_cleanup: bool


class kvm_steal_time(struct, per="vcpu"):
    preempted: upto[3]


class kvm_vcpu_st(struct, per="vcpu"):
    preempted: bool


class kvm_vcpu_arch(struct):
    pmu: embed[kvm_pmu]
    # The guest's memory, and what KVM keeps of it.
    steal: embed[kvm_steal_time]
    st: embed[kvm_vcpu_st]
    l1tf_flush_l1d: bool
    at_instruction_boundary: bool

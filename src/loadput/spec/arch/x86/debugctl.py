"""DEBUGCTL: the host's while no guest runs.

Mirrors: arch/x86/kvm/x86.c, v6.12. One bit stands for all. Only where a scenario sets host_perf.
"""

# The host's perf writes DEBUGCTL from interrupts.
host_perf = False

hw_debugctl: per_cpu[upto[1]]
host_wants_debugctl: per_cpu[ghost[upto[1]]]


class kvm_vcpu_arch(struct):
    host_debugctl: upto[1]


# [New in arch:x86]
@irq
@env
def perf_event_ipi():
    """Another CPU makes this one change its DEBUGCTL, or the counters' interrupt does.

    Mirrors: smp_call_function_single() to __perf_event_enable(), kernel/events/core.c;
    __intel_pmu_lbr_enable(), arch/x86/events/intel/lbr.c, and their like for AMD, v6.12
    """
    with atomic:
        assume(host_perf)
        new = 1 - this_cpu(hw_debugctl)
        this_cpu_write(hw_debugctl, new)
        this_cpu_write(host_wants_debugctl, new)


# [New in arch:x86]
def snapshot_host_debugctl(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vcpu_enter_guest() where it reads DEBUGCTL, arch/x86/kvm/x86.c, v6.12.y, Linux commit
    189ecdb3e112 ("KVM: x86: Snapshot the host's DEBUGCTL after disabling IRQs")

    Context: IRQs off
    """
    if host_perf:
        vcpu.arch.host_debugctl = this_cpu(hw_debugctl)

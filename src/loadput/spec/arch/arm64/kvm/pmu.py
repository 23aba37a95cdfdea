"""PMUSERENR_EL0: who may use the counters at EL0, the host's value or the guest's trap value.

Mirrors: arch/arm64/kvm/pmu.c, arch/arm64/kvm/hyp/include/hyp/switch.h, drivers/perf/arm_pmuv3.c,
v6.12. The guest's value stays in from load to put. Only where a scenario sets host_perf.
"""

# The host's perf changes PMUSERENR_EL0 from interrupts.
host_perf = False

# 0 and 1 are the host's values, without and with access for user mode.
PMUSERENR_GUEST = 2

hw_pmuserenr: per_cpu[upto[2]]
host_ctxt_pmuserenr: per_cpu[upto[2]]
host_wants_pmuserenr: per_cpu[ghost[upto[1]]]


class kvm_vcpu_arch(struct):
    pmuserenr_on_cpu: bool


# [New in arch:arm64]
def __vcpu_load_activate_traps(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __vcpu_load_activate_traps(), arch/arm64/kvm/hyp/vhe/switch.c, v6.12"""
    local_irq_save(flags)
    __activate_traps_common(vcpu)
    local_irq_restore(flags)


# [New in arch:arm64]
def __vcpu_put_deactivate_traps(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __vcpu_put_deactivate_traps(), arch/arm64/kvm/hyp/vhe/switch.c, v6.12"""
    local_irq_save(flags)
    __deactivate_traps_common(vcpu)
    local_irq_restore(flags)


# [New in arch:arm64]
def __activate_traps_common(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __activate_traps_common(), arch/arm64/kvm/hyp/include/hyp/switch.h, v6.12

    Context: IRQs off
    Omits: the other traps
    """
    if not host_perf:
        return
    this_cpu_write(host_ctxt_pmuserenr, this_cpu(hw_pmuserenr))
    this_cpu_write(hw_pmuserenr, PMUSERENR_GUEST)
    vcpu.arch.pmuserenr_on_cpu = True


# [New in arch:arm64]
def __deactivate_traps_common(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __deactivate_traps_common(), arch/arm64/kvm/hyp/include/hyp/switch.h, v6.12

    Context: IRQs off
    """
    if not host_perf:
        return
    this_cpu_write(hw_pmuserenr, this_cpu(host_ctxt_pmuserenr))
    vcpu.arch.pmuserenr_on_cpu = False


# [New in arch:arm64]
def kvm_set_pmuserenr(val: upto[1]) -> bool:
    """Keep the host's new value for the put, where a guest's is on this CPU.

    Mirrors: kvm_set_pmuserenr(), arch/arm64/kvm/pmu.c, v6.12
    Context: IRQs off
    """
    vcpu = this_cpu(kvm_running_vcpu)
    if not vcpu or not vcpu.arch.pmuserenr_on_cpu:
        return False
    this_cpu_write(host_ctxt_pmuserenr, val)
    return True


# [New in arch:arm64]
def update_pmuserenr(val: upto[1]):
    """Mirrors: update_pmuserenr(), drivers/perf/arm_pmuv3.c, v6.12; Context: IRQs off"""
    if kvm_set_pmuserenr(val):
        return
    this_cpu_write(hw_pmuserenr, val)


# [New in arch:arm64]
@irq
@env
def perf_event_ipi():
    """Another CPU makes this one start or stop an event that user mode may read.

    Mirrors: smp_call_function_single() to __perf_event_enable(), kernel/events/core.c;
    armv8pmu_start(), drivers/perf/arm_pmuv3.c, v6.12
    """
    with atomic:
        assume(host_perf)
        new = 1 - this_cpu(host_wants_pmuserenr)
        this_cpu_write(host_wants_pmuserenr, new)
        update_pmuserenr(new)

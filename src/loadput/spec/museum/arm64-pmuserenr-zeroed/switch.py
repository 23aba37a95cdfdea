"""arch/arm64/kvm/hyp/include/hyp/switch.h, drivers/perf/arm_pmuv3.c, as they were."""


# [Modified in museum:arm64-pmuserenr-zeroed]
def __activate_traps_common(vcpu: ptr[kvm_vcpu]):
    """The host's value is not kept."""
    if not host_perf:
        return
    this_cpu_write(hw_pmuserenr, PMUSERENR_GUEST)


# [Modified in museum:arm64-pmuserenr-zeroed]
def __deactivate_traps_common(vcpu: ptr[kvm_vcpu]):
    """0 for everybody."""
    if not host_perf:
        return
    this_cpu_write(hw_pmuserenr, 0)


# [Modified in museum:arm64-pmuserenr-zeroed]
def kvm_set_pmuserenr(val: upto[1]) -> bool:
    """There was none."""
    return False

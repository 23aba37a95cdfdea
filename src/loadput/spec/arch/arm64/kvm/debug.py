"""What a vCPU notes of the debug hardware of the CPU that it is loaded on.

Mirrors: arch/arm64/kvm/debug.c, v6.12. Only where a scenario sets host_spe.
"""

# The CPUs whose host profiles with SPE, a bit each.
host_spe: setting[cpu_mask] = 0


# [New in arch:arm64]
def cpu_has_spe(c: cpu) -> bool:
    """Ours: ID_AA64DFR0_EL1.PMSVer of the CPU, which PMBIDR_EL1 lets its host use."""
    return ((host_spe >> c) & 1) != 0


# [New in arch:arm64]
def kvm_arch_vcpu_load_debug_state_flags(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_load_debug_state_flags(), arch/arm64/kvm/debug.c, v6.12"""
    if has_vhe():
        return
    if cpu_has_spe(smp_processor_id()):
        vcpu_set_flag(vcpu, DEBUG_STATE_SAVE_SPE)


# [New in arch:arm64]
def kvm_arch_vcpu_put_debug_state_flags(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put_debug_state_flags(), arch/arm64/kvm/debug.c, v6.12"""
    if host_spe:
        vcpu_clear_flag(vcpu, DEBUG_STATE_SAVE_SPE)

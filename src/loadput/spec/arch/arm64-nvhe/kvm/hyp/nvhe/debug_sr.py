"""The host's profiling, which must not go on in the guest: its buffer is in the host's tables.

Mirrors: arch/arm64/kvm/hyp/nvhe/debug-sr.c, v6.12; SPE stands for the trace buffer, TRBE, too
"""

# PMSCR_EL1 is 0 while the host profiles on this CPU.
hw_spe_stopped: per_cpu[bool]


# [New in arch:arm64-nvhe]
def __debug_save_host_buffers_nvhe(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __debug_save_host_buffers_nvhe(), __debug_save_spe(),
    arch/arm64/kvm/hyp/nvhe/debug-sr.c, v6.12

    The host profiles all the time on a CPU that can.
    """
    if vcpu_get_flag(vcpu, DEBUG_STATE_SAVE_SPE):
        this_cpu_write(hw_spe_stopped, True)


# [New in arch:arm64-nvhe]
def __debug_restore_host_buffers_nvhe(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __debug_restore_host_buffers_nvhe(), __debug_restore_spe(),
    arch/arm64/kvm/hyp/nvhe/debug-sr.c, v6.12
    """
    if vcpu_get_flag(vcpu, DEBUG_STATE_SAVE_SPE):
        this_cpu_write(hw_spe_stopped, False)

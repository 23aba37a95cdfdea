"""What each entry and exit must keep true on arm64 without VHE."""


@property_(
    source="arch/arm64/kvm/debug.c kvm_arch_vcpu_load_debug_state_flags(), v6.12",
    twin="arm64-flags-rmw",
    where="host_spe",
    needs="kvm_vcpu_arch.iflags",
)
@at_entry(__debug_save_host_buffers_nvhe)
def FLAGS_OF_THIS_CPU(vcpu: ptr[kvm_vcpu]) -> bool:
    """What a vCPU that is about to enter the guest notes of its CPU is true of that CPU."""
    return ((vcpu.arch.iflags & DEBUG_STATE_SAVE_SPE) != 0) == cpu_has_spe(smp_processor_id())


@property_(
    source="arch/arm64/kvm/hyp/nvhe/switch.c __kvm_vcpu_run(), v6.12: the translation regime changes",
    twin="arm64-flags-rmw",
    where="host_spe",
)
@at_entry(guest_runs)
def SPE_STOPPED_IN_GUEST(vcpu: ptr[kvm_vcpu]) -> bool:
    """While the guest runs, the host's profiling on its CPU, whose buffer is in the host's tables,
    is stopped.
    """
    return this_cpu(hw_spe_stopped) or not cpu_has_spe(smp_processor_id())


@property_(
    source="arch/arm64/kvm/hyp/nvhe/debug-sr.c __debug_restore_host_buffers_nvhe(), v6.12",
    twin="nvhe_spe_not_restored",
    where="host_spe",
)
@at_exit(kvm_arm_vcpu_enter_exit)
def HOST_SPE(vcpu: ptr[kvm_vcpu]) -> bool:
    """After an exit the host's profiling goes on."""
    return not this_cpu(hw_spe_stopped)


@property_(
    source="handle___kvm_vcpu_run(), arch/arm64/kvm/hyp/nvhe/hyp-main.c, v7.3: -EINVAL",
    twin="nvhe_put_keeps_hyp_vcpu",
    where="pkvm",
)
@at_entry(guest_runs)
def PKVM_LOADED(vcpu: ptr[kvm_vcpu]) -> bool:
    """The hypervisor of pKVM runs the vCPU that the host runs: it has that one loaded here."""
    return this_cpu(loaded_hyp_vcpu) == vcpu

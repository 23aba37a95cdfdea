"""What load and put must keep true on arm64 with VHE.

A property names registers that only arm64 has, so it is asked only there.
"""


@property_(
    source="kvm_vcpu_kick(), virt/kvm/kvm_main.c, v6.12: the IPI goes to vcpu->cpu",
    twin="arm64_load_forgets_cpu",
)
@at_entry(guest_runs)
def CPU_FIELD(vcpu: ptr[kvm_vcpu]) -> bool:
    """While the guest has the CPU, vcpu->cpu is that CPU."""
    return vcpu.cpu == smp_processor_id() and __this_cpu_read(hw_tpidr) == 0


@property_(
    source="kvm_arch_vcpu_put(), arch/arm64/kvm/arm.c, v6.12: to kvm_reset_vcpu() -1 is not loaded",
    twin="arm64_put_keeps_cpu",
)
@at_entry(tls_thread_switch)
def CPU_FIELD_PUT() -> bool:
    """Once the scheduler has put a vCPU, vcpu->cpu is -1."""
    return current.vcpu == NULL or current.vcpu.cpu == -1 or may_be_others(current)


@property_(
    source="kvm_arch_vcpu_load(), arch/arm64/kvm/arm.c, v6.12: TLBs are private to a vCPU",
    twin="arm64_no_local_flush",
)
@at_entry(guest_runs)
def TLB_PRIVATE(vcpu: ptr[kvm_vcpu]) -> bool:
    """The CPU's TLB holds nothing that another vCPU of the same VM has put there."""
    held = this_cpu(hw_tlb)[vcpu.kvm - 1]
    return held == NULL or held == vcpu


@property_(
    source='Linux commit fa808ed4e199 ("KVM: arm64: Ensure a VMID is allocated before programming'
    ' VTTBR_EL2") (in v6.14)',
    twin="arm64-vmid-unallocated",
)
@at_entry(guest_runs)
def VMID_ACTIVE(vcpu: ptr[kvm_vcpu]) -> bool:
    """Stage 2 runs with the VM's own VMID, and a rollover would keep that VMID for it."""
    mine = VMID_ACTIVE_INVALID + vcpu.kvm
    return __this_cpu_read(hw_vttbr) == token_of(vcpu.kvm) and (
        __this_cpu_read(active_vmids) == mine
        or (
            __this_cpu_read(active_vmids) == VMID_ROLLED_OVER
            and __this_cpu_read(reserved_vmids) == mine
        )
    )


@property_(
    source="kvm_reset_vcpu(), arch/arm64/kvm/reset.c, v6.12: preempt notifiers put and load too",
    twin="arm64_reset_preemptible",
)
@at_entry(kvm_arch_vcpu_load)
@at_entry(kvm_arch_vcpu_put)
def DIRECT_PAIR(vcpu: ptr[kvm_vcpu]) -> bool:
    """A put and a load that KVM's own code calls happen with preemption off, on the vCPU that this
    CPU runs, whose task was not preempted; no other vCPU's registers are on the CPU."""
    if current.via != VIA_NONE:
        return True
    held = owner_of(__this_cpu_read(hw_el1))
    return (
        preempt_count() > 0
        and __this_cpu_read(kvm_running_vcpu) == vcpu
        and not vcpu.preempted
        and (held == 0 or held == vcpu)
    )


@property_(
    source="drivers/perf/arm_pmuv3.c update_pmuserenr(), v6.12",
    twin="arm64-pmuserenr-irq",
    where="host_perf",
)
@at_entry(guest_runs)
def PMUSERENR_TRAPS(vcpu: ptr[kvm_vcpu]) -> bool:
    """While the guest runs, its use of the counters traps, whatever the host's perf does."""
    return this_cpu(hw_pmuserenr) == PMUSERENR_GUEST


@property_(
    source="arch/arm64/kvm/pmu.c kvm_set_pmuserenr(), v6.12",
    twin="arm64-pmuserenr-irq",
    where="host_perf",
)
@at_exit(arch_exit_to_user_mode_prepare)
def HOST_PMUSERENR() -> bool:
    """User mode finds PMUSERENR_EL0 as the host wrote it last."""
    return this_cpu(hw_pmuserenr) == this_cpu(host_wants_pmuserenr)


@property_(
    source="kvm_vcpu_put_debug(), arch/arm64/kvm/debug.c, v7.3",
    twin="arm64_put_keeps_mdcr",
)
@at_entry(__switch_to)
@at_exit(arch_exit_to_user_mode_prepare)
def HOST_MDCR() -> bool:
    """Where the CPU switches tasks, or returns to user mode, MDCR_EL2 is the host's."""
    return this_cpu(hw_mdcr) == 0


@property_(
    source="kvm_vcpu_load_debug(), kvm_debug_handle_oslar(), arch/arm64/kvm/debug.c, v7.3",
    twin="arm64_oslar_without_reload",
    where="guest_debugs",
)
@at_entry(guest_runs)
def OS_LOCK_TRAPS(vcpu: ptr[kvm_vcpu]) -> bool:
    """A guest that has locked its debug registers traps when it uses them."""
    return this_cpu(hw_mdcr_tda) or not vcpu.arch.os_lock

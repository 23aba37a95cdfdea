"""What load and put must keep true on powerpc.

A property names what only powerpc has, so it is asked only there.
"""


@property_(
    source="kvmhv_run_single_vcpu(), kvmppc_fast_vcpu_kick_hv(), arch/powerpc/kvm/book3s_hv.c, v6.12",
    twin="powerpc_entry_forgets_cpu",
)
@at_entry(guest_runs)
def CPU_FIELD(vcpu: ptr[kvm_vcpu]) -> bool:
    """While the guest has the CPU, vcpu->cpu and arch.thread_cpu are that CPU."""
    return vcpu.cpu == smp_processor_id() and vcpu.arch.thread_cpu == smp_processor_id()


@property_(
    source="kvmhv_run_single_vcpu(), arch/powerpc/kvm/book3s_hv.c, v6.12",
    twin="powerpc_exit_keeps_cpu",
    needs="kvmhv_run_single_vcpu",
)
@at_entry(kvm_arch_vcpu_put)
def CPU_FIELD_PUT(vcpu: ptr[kvm_vcpu]) -> bool:
    """Once a vCPU is out of the guest, vcpu->cpu and arch.thread_cpu are -1."""
    return vcpu.cpu == -1 and vcpu.arch.thread_cpu == -1


@property_(
    source="kvmppc_core_vcpu_load_hv(), kvmppc_update_vpa_dispatch_p9(),"
    " arch/powerpc/kvm/book3s_hv.c, v6.12",
    twin="powerpc_load_counts_nothing",
)
@at_entry(guest_runs)
def STEAL_COUNTED(vcpu: ptr[kvm_vcpu]) -> bool:
    """The guest finds in its VPA all the time for which its thread lost the CPU on its behalf."""
    return not vcpu.arch.busy_preempt and vcpu.arch.vpa_stolen == token_of(vcpu)


@property_(
    source="kvmppc_core_vcpu_put_hv(), arch/powerpc/kvm/book3s_hv.c, v6.12: not while in user mode",
    twin="powerpc_run_ends_busy",
)
@at_entry(kvm_arch_vcpu_load)
def STEAL_IN_RUN_ONLY(vcpu: ptr[kvm_vcpu]) -> bool:
    """Only time that a thread lost inside KVM_RUN counts as stolen."""
    return not vcpu.arch.busy_preempt or current.in_kvm_run


@property_(
    source="kvmppc_emulate_doorbell_instr(), kvmppc_fast_vcpu_kick_hv(), arch/powerpc/kvm/book3s_hv.c,"
    " v6.12",
    twin="ppc-lost-kick",
    where="guest_doorbells",
)
@at_entry(guest_runs)
def NO_LOST_DOORBELL(vcpu: ptr[kvm_vcpu]) -> bool:
    """A guest does not run with a doorbell waiting that it does not get, unless the sender is not done,
    or an IPI is on its way to the CPU."""
    return not vcpu.arch.doorbell_request or vcpu.doorbell_rings or this_cpu(ipi_pending)


@monitor
@at_entry(kvmppc_emulate_doorbell_instr)
def doorbell_begins(vcpu: ptr[kvm_vcpu], tvcpu: ptr[kvm_vcpu]):
    tvcpu.doorbell_rings = True


@monitor
@at_exit(kvmppc_emulate_doorbell_instr)
def doorbell_ends(vcpu: ptr[kvm_vcpu], tvcpu: ptr[kvm_vcpu]):
    tvcpu.doorbell_rings = False


class kvm_vcpu(struct):
    doorbell_rings: ghost[bool]


@property_(
    source="kvmppc_prepare_radix_vcpu(), arch/powerpc/kvm/book3s_hv.c, v6.12",
    twin="powerpc_no_flush_behind",
    where="guest_maps",
)
@at_entry(guest_runs)
def TLB_FRESH(vcpu: ptr[kvm_vcpu]) -> bool:
    """The CPU's TLB holds no translation that the guest has since changed and flushed elsewhere."""
    held = this_cpu(hw_tlb_lpid)
    return owner_of(held) != vcpu or held == token_of(vcpu)

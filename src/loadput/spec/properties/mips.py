"""What load and put must keep true on mips.

A property names what only mips has, so it is asked only there.
"""


@property_(
    source="kvm_arch_vcpu_load(), arch/mips/kvm/mmu.c, v6.12",
    twin="mips_load_forgets_cpu",
    needs="kvm_vz_vcpu_load",
)
@at_entry(guest_runs)
def CPU_FIELD(vcpu: ptr[kvm_vcpu]) -> bool:
    """While the guest has the CPU, vcpu->cpu is that CPU."""
    return vcpu.cpu == smp_processor_id()


@property_(
    source="kvm_arch_vcpu_put(), arch/mips/kvm/mmu.c, v6.12",
    twin="mips_put_keeps_cpu",
    needs="kvm_vz_vcpu_put",
)
@at_entry(__switch_to)
def CPU_FIELD_PUT(prev: ptr[task_struct]) -> bool:
    """Once the scheduler has put a vCPU, vcpu->cpu is -1."""
    return prev.vcpu == NULL or prev.vcpu.cpu == -1 or may_be_others(prev)


@property_(
    source="kvm_vz_vcpu_load(), kvm_vz_vcpu_load_wired(), arch/mips/kvm/vz.c, v6.12",
    twin="mips_one_sided",
)
@at_entry(guest_runs)
def GUEST_STATE_COHERENT(vcpu: ptr[kvm_vcpu]) -> bool:
    """The guest finds its own CP0 registers and wired TLB entries, and FP registers where it may use
    them, with the values it has now."""
    own_fp = this_cpu(hw_guest_fp) == token_of(vcpu)
    return (
        this_cpu(hw_gc0) == token_of(vcpu)
        and this_cpu(hw_wired) == token_of(vcpu)
        and this_cpu(hw_cu1) == own_fp
    )


@property_(
    source="lose_fpu_inatomic(), arch/mips/include/asm/fpu.h, v6.12",
    twin="mips_put_keeps_cu1",
    needs="kvm_vz_vcpu_put",
)
@at_entry(__switch_to)
def HOST_RESTORED_BEFORE_SWITCH(prev: ptr[task_struct]) -> bool:
    """When the CPU switches tasks, the FP registers hold the state of the task that goes, or can not
    be used."""
    if not prev.thread.used_fpu:
        return not this_cpu(hw_cu1)
    return this_cpu(hw_fp) == token_of(prev)


@property_(
    source="kvm_lose_fpu(), arch/mips/kvm/mips.c; do_cpu(), arch/mips/kernel/traps.c, v6.12",
    twin="mips_put_keeps_cu1",
    needs="kvm_vz_vcpu_put",
)
@at_exit(arch_exit_to_user_mode_prepare)
def HOST_RESTORED_AT_USER() -> bool:
    """A task that returns to user mode finds its own FP registers, or its next use of them traps and
    loads them."""
    if this_cpu(hw_cu1):
        return this_cpu(hw_fp) == token_of(current)
    return not current.thread.used_fpu and current.thread.fpu == token_of(current)


@property_(
    source="kvm_vz_vcpu_load_tlb(), arch/mips/kvm/vz.c, v6.12",
    twin="mips_guestid_kept",
    where="guest_maps",
)
@at_entry(guest_runs)
def TLB_FRESH(vcpu: ptr[kvm_vcpu]) -> bool:
    """Under the guest's GuestID the TLB holds no translation that the guest has since changed and
    flushed elsewhere."""
    held = this_cpu(hw_guesttlb)
    return owner_of(held) != vcpu or held == token_of(vcpu)


@forget_(
    bodies="kvm_vz_vcpu_load, kvm_vz_vcpu_put, kvm_arch_vcpu_load, kvm_arch_vcpu_put, guest_runs",
    origin="arch:mips, design:B",
)
@at_exit(kvm_vz_vcpu_load)
def what_is_elsewhere_is_dead(vcpu: ptr[kvm_vcpu]):
    """The next put writes last_sched_cpu and what memory has of the registers. What other CPUs have of
    this vCPU is loaded anew where it comes there."""
    vcpu.arch.last_sched_cpu = -1
    vcpu.arch.cop0 = 0
    vcpu.arch.guestctl2 = False
    for c in each(cpu):
        if c != smp_processor_id() and per_cpu(last_vcpu, c) == vcpu:
            WRITE_ONCE(per_cpu(hw_gc0, c), 0)
            WRITE_ONCE(per_cpu(hw_guestctl2, c), False)

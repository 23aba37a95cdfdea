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


class kvm_vcpu(struct):
    # Since its guest ran last, what was pending has been given to the CPU.
    delivered: ghost[bool]


@monitor
@at_exit(kvm_mips_deliver_interrupts)
def interrupts_are_delivered(vcpu: ptr[kvm_vcpu]):
    vcpu.delivered = not vcpu.irq_pending


@monitor
@at_entry(kvm_mips_handle_exit)
@at_exit(kvm_mips_vcpu_enter_exit)
def more_may_have_come(vcpu: ptr[kvm_vcpu]):
    vcpu.delivered = False


@property_(
    source="kvm_mips_deliver_interrupts(), arch/mips/kvm/interrupt.c, v6.12; kvm_vz_vcpu_run(),"
    " kvm_mips_handle_exit(): it is called before each entry",
    twin="mips_reenters_undelivered",
    needs="kvm_mips_deliver_interrupts",
)
@at_entry(guest_runs)
def INTERRUPT_DELIVERED(vcpu: ptr[kvm_vcpu]) -> bool:
    """Before each entry of a guest its task has given the CPU what was pending: with no kick, nobody
    else would."""
    return vcpu.delivered


@property_(
    source="kvm_vz_vcpu_load_tlb(), arch/mips/kvm/vz.c, v6.12",
    twin="mips_guestid_kept",
    where="guest_maps",
)
@at_entry(guest_runs)
def TLB_FRESH(vcpu: ptr[kvm_vcpu]) -> bool:
    """Under the guest's GuestID the TLB holds no translation that the guest has since changed and
    flushed elsewhere, nor another guest's."""
    held = this_cpu(hw_guesttlb)
    mine = this_cpu(hw_guesttlb_id) == vcpu.arch.vzguestid[smp_processor_id()]
    return held == 0 or not mine or held == token_of(vcpu)


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

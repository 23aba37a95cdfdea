"""What load and put must keep true on loongarch.

A property names what only loongarch has, so it is asked only there.
"""


@property_(
    source="kvm_check_vpid(), arch/loongarch/kvm/main.c; kvm_vcpu_kick(), virt/kvm/kvm_main.c, v6.12",
    twin="loongarch_entry_forgets_cpu",
    needs="kvm_check_vpid",
)
@at_entry(guest_runs)
def CPU_FIELD(vcpu: ptr[kvm_vcpu]) -> bool:
    """While the guest has the CPU, vcpu->cpu is that CPU."""
    return vcpu.cpu == smp_processor_id()


@property_(
    source="kvm_update_stolen_time(), arch/loongarch/kvm/vcpu.c, v6.12",
    twin="loongarch_load_asks_no_steal",
)
@at_entry(guest_runs)
def STEAL_COUNTED(vcpu: ptr[kvm_vcpu]) -> bool:
    """The guest finds in its steal time all that its thread has waited for a CPU."""
    return not vcpu.steal_time or vcpu.arch.st.last_steal == token_of(current)


@property_(
    source="kvm_check_vpid(), arch/loongarch/kvm/main.c, v6.12",
    twin="loongarch_vpid_kept",
    where="guest_maps",
)
@at_entry(guest_runs)
def TLB_FRESH(vcpu: ptr[kvm_vcpu]) -> bool:
    """Under the guest's VPID the TLB holds no translation that the guest has since changed and flushed
    elsewhere."""
    held = this_cpu(hw_gtlb)
    return owner_of(held) != vcpu or held == token_of(vcpu)


@property_(
    source="kvm_update_stolen_time(), arch/loongarch/kvm/vcpu.c, v7.3",
    twin="loongarch_byte_kept",
    where="guest_knows_preempt",
)
@at_entry(guest_runs)
def PREEMPT_BYTE(vcpu: ptr[kvm_vcpu]) -> bool:
    """While a guest runs, its other CPUs do not see it as preempted."""
    return not vcpu.arch.preempted_byte


@property_(
    source="kvm_arch_vcpu_put(), kvm_vcpu_set_pv_preempted(), arch/loongarch/kvm/vcpu.c, v7.3",
    twin="loongarch_put_tells_nobody",
    where="guest_knows_preempt",
)
@at_exit(kvm_arch_vcpu_put)
def PREEMPT_HINT(vcpu: ptr[kvm_vcpu]) -> bool:
    """The guest's other CPUs see a vCPU as preempted where it lost its CPU to another task. Violated in
    v7.3, where that costs time only: suspected, source reading and model only."""
    return not vcpu.preempted or not vcpu.steal_time or vcpu.arch.preempted_byte


@forget_(
    bodies="_kvm_vcpu_load, _kvm_vcpu_put, kvm_arch_vcpu_load, kvm_arch_vcpu_put, guest_runs",
    origin="arch:loongarch, release:v7.3, design:B",
)
@at_exit(_kvm_vcpu_load)
def what_is_elsewhere_is_dead(vcpu: ptr[kvm_vcpu]):
    """The next put writes last_sched_cpu and GINTC's copy. What other CPUs have of this vCPU is loaded
    anew where it comes there, and what this CPU had of others too."""
    vcpu.arch.last_sched_cpu = -1
    vcpu.arch.gintc = False
    for c in each(cpu):
        if c != smp_processor_id() and per_cpu_ptr(addr(vmcs), c).last_vcpu == vcpu:
            WRITE_ONCE(per_cpu(hw_gcsr, c), 0)
            WRITE_ONCE(per_cpu(hw_gintc, c), False)
    for v in each(kvm_vcpu):
        if v != vcpu and v.arch.last_sched_cpu == smp_processor_id():
            v.arch.hwcsr_usable = False


@forget_(
    bodies="kvm_pre_enter_guest, _kvm_vcpu_put, _kvm_vcpu_load, guest_runs",
    origin="arch:loongarch, release:v7.3",
)
@at_exit(kvm_pre_enter_guest)
def csr_in_memory_is_dead(vcpu: ptr[kvm_vcpu]):
    """The next put writes it, as swcsr_latest is false."""
    if not vcpu.arch.swcsr_latest:
        vcpu.arch.csr = 0


@forget_(
    bodies="_kvm_vcpu_load, kvm_check_requests, kvm_update_stolen_time",
    origin="arch:loongarch, release:v7.3",
)
@at_exit(kvm_arch_vcpu_put)
def steal_update_is_dead(vcpu: ptr[kvm_vcpu]):
    """Every load asks for the update, and only a loaded vCPU's own task looks at it."""
    vcpu.requests[KVM_REQ_STEAL_UPDATE] = False
    vcpu.arch.st.last_steal = 0


@forget_(
    bodies="_kvm_vcpu_load, _kvm_vcpu_put, kvm_check_vpid, kvm_arch_vcpu_load, guest_runs",
    origin="arch:loongarch, release:v7.3, design:B",
)
@at_exit(_kvm_vcpu_load)
def gstat_elsewhere_is_dead(vcpu: ptr[kvm_vcpu]):
    """As the guest's CSRs: the next load there writes it."""
    for c in each(cpu):
        if c != smp_processor_id() and per_cpu_ptr(addr(vmcs), c).last_vcpu == vcpu:
            WRITE_ONCE(per_cpu(hw_gstat, c), 0)


@forget_(
    bodies="kvm_pre_enter_guest, _kvm_vcpu_put, _kvm_vcpu_load, guest_runs",
    origin="arch:loongarch, release:v7.3",
)
@at_exit(kvm_pre_enter_guest)
def gstat_in_memory_is_dead(vcpu: ptr[kvm_vcpu]):
    """The next put writes it, as swcsr_latest is false."""
    if not vcpu.arch.swcsr_latest:
        vcpu.arch.gstat = 0

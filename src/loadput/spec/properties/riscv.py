"""What load and put must keep true on riscv.

A property names registers that only riscv has, so it is asked only there.
"""


@property_(
    source="kvm_vcpu_kick(), virt/kvm/kvm_main.c, v6.12: the IPI goes to vcpu->cpu",
    twin="riscv_load_forgets_cpu",
)
@at_entry(guest_runs)
def CPU_FIELD(vcpu: ptr[kvm_vcpu]) -> bool:
    """While the guest has the CPU, vcpu->cpu is that CPU."""
    return vcpu.cpu == smp_processor_id() and __this_cpu_read(hw_fregs) == 0


@property_(
    source="kvm_arch_vcpu_put(), arch/riscv/kvm/vcpu.c, v6.12: to the reset -1 is not loaded",
    twin="riscv_put_keeps_cpu",
)
@at_entry(fstate_save)
def CPU_FIELD_PUT(task: ptr[task_struct]) -> bool:
    """Once the scheduler has put a vCPU, vcpu->cpu is -1."""
    return task.vcpu == NULL or task.vcpu.cpu == -1 or may_be_others(task)


@property_(
    source="kvm_arch_vcpu_load(), arch/riscv/kvm/vcpu.c, v7.2, its comment on the skip",
    twin="riscv_skip_without_former",
)
@at_entry(csr_restore_is_skipped)
def CSR_SKIP_TRUE(vcpu: ptr[kvm_vcpu]) -> bool:
    """Where a load skips the restore, the CPU holds the vCPU's VS CSRs as they are now. Violated in
    v7.2: suspected, source reading and model only, not shown on hardware."""
    return csrs_are_current(vcpu)


@property_(
    source="kvm_riscv_reset_vcpu(), arch/riscv/kvm/vcpu.c, v6.12: it races with the notifiers else",
    twin="riscv_reset_preemptible",
)
@at_entry(kvm_arch_vcpu_load)
@at_entry(kvm_arch_vcpu_put)
def DIRECT_PAIR(vcpu: ptr[kvm_vcpu]) -> bool:
    """A put and a load that KVM's own code calls happen with preemption off, on the vCPU that this
    CPU runs, whose task was not preempted; no other vCPU's registers are on the CPU."""
    if current.via != VIA_NONE:
        return True
    held = owner_of(__this_cpu_read(hw_guest_fregs))
    return (
        preempt_count() > 0
        and __this_cpu_read(kvm_running_vcpu) == vcpu
        and not vcpu.preempted
        and (held == 0 or held == vcpu)
    )


@property_(
    source="kvm_riscv_local_tlb_sanitize(), arch/riscv/kvm/tlb.c, v6.12",
    twin="riscv-vs-tlb-migration",
    where="guest_maps, gstage_unmaps",
)
@at_entry(guest_runs)
def TLB_FRESH(vcpu: ptr[kvm_vcpu]) -> bool:
    """The CPU's TLB holds no translation that the guest has since changed and flushed elsewhere, nor
    one of a page that the host has taken back, nor one of a VMID that is given out again.
    """
    if __this_cpu_read(hw_gstage_tlb_is_old):
        return False
    held = __this_cpu_read(hw_vs_tlb)
    page = __this_cpu_read(hw_gstage_tlb)
    if owner_of(page) == vcpu.kvm and page != token_of(vcpu.kvm) and not vcpu.kvm.unmapping:
        return False
    return owner_of(held) != vcpu or held == token_of(vcpu)


@property_(
    source="kvm_riscv_vcpu_flush_vector(), arch/riscv/kvm/vcpu_vector.c, v7.3",
    twin="riscv_flush_forgets_vector",
    where="uses_vector",
)
@at_entry(guest_runs)
def GUEST_V(vcpu: ptr[kvm_vcpu]) -> bool:
    """The guest finds its vector registers as it left them, whatever the kernel did with them since."""
    return this_cpu(hw_guest_v) == token_of(vcpu)


@property_(
    source="__switch_to_vector(), arch/riscv/include/asm/vector.h, v7.3",
    twin="riscv_switch_keeps_vector",
    where="preemptive_vector",
)
@at_entry(vector_usercopy_goes_on)
def KERNEL_V() -> bool:
    """Kernel code that may be preempted where it uses vector registers finds there what it left. Violated
    in v7.3: suspected, source reading and model only, not shown on hardware."""
    return this_cpu(hw_kernel_v) == token_of(current)


@forget_(
    bodies="kvm_arch_vcpu_load, kvm_arch_vcpu_put, kvm_riscv_check_vcpu_requests, kvm_make_request",
    origin="mainline, arch:riscv, release:v7.2, release:v7.3, design:A, design:B, design:C",
)
@at_exit(kvm_arch_vcpu_put)
def riscv_steal_update_is_dead(vcpu: ptr[kvm_vcpu]):
    """Every load makes the request, and only a loaded vCPU's own task looks at it."""
    vcpu.requests[KVM_REQ_STEAL_UPDATE] = False


@forget_(
    bodies="kvm_arch_vcpu_load, kvm_arch_vcpu_put, kvm_riscv_gstage_update_hgatp, reset_registers,"
    " kvm_riscv_vcpu_timer_restore",
    origin="arch:riscv, release:v6.1, design:B",
)
@at_exit(kvm_arch_vcpu_put)
def csrs_are_dead():
    """Every load restores all, and nothing looks at them where no vCPU is loaded."""
    this_cpu_write(hw_vs_csr, 0)
    this_cpu_write(hw_vstimecmp, 0)
    this_cpu_write(hw_hvip, False)
    this_cpu_write(hw_hgatp, NULL)


@forget_(
    bodies="kvm_arch_vcpu_load, kvm_arch_vcpu_put, restore_csrs, kvm_riscv_vcpu_enter_exit",
    origin="release:v7.2, release:v7.3, design:B",
)
@at_exit(kvm_arch_vcpu_put)
def hvip_elsewhere_is_dead(vcpu: ptr[kvm_vcpu]):
    """A load leaves HVIP as it is on the CPU of the last exit only; on others it restores it."""
    for c in each(cpu):
        if per_cpu(kvm_former_vcpu, c) == vcpu and vcpu.arch.last_exit_cpu != c:
            WRITE_ONCE(per_cpu(hw_hvip, c), False)


@forget_(
    bodies="kvm_riscv_vcpu_flush_interrupts, kvm_riscv_vcpu_sync_interrupts, kvm_arch_vcpu_put",
    origin="arch:riscv, release:v7.2, release:v7.3",
)
@at_exit(kvm_riscv_vcpu_sync_interrupts)
def hvip_in_memory_is_dead(vcpu: ptr[kvm_vcpu]):
    """A put writes it, and so does the next entry where something has changed since."""
    if vcpu.arch.irqs_pending_mask:
        vcpu.arch.hvip = False


@forget_(bodies="kvm_arch_vcpu_load, kvm_riscv_vcpu_timer_restore", origin="release:v7.2, arch:riscv")
@at_exit(kvm_arch_vcpu_put)
def vstimecmp_is_dead():
    """Every load restores it."""
    this_cpu_write(hw_vstimecmp, 0)

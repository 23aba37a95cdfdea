"""Load, put, reset and the entry: the restore of the CSRs is skipped where the CPU's last vCPU and
the vCPU's last exit agree.

Mirrors: arch/riscv/kvm/vcpu.c, v7.2; Linux commit 1323a5cfe52c (in v7.1). Here a put leaves what
the CSRs hold, and everything that changes one makes every other copy old.
"""


class kvm_vcpu_arch(struct):
    csr_dirty: bool


kvm_former_vcpu: per_cpu[ptr[kvm_vcpu]]


# [New in release:v7.2]
def csr_restore_is_skipped(vcpu: ptr[kvm_vcpu]):
    """Ours: a place to look: kvm_arch_vcpu_load() jumps to csr_restore_done."""
    pass


# [New in release:v7.2]
def restore_csrs(vcpu: ptr[kvm_vcpu]):
    """What the jump to csr_restore_done leaves out.

    Mirrors: kvm_arch_vcpu_load(), arch/riscv/kvm/vcpu.c, v7.2, from csr_dirty = false to its label
    Omits: AIA, whose CSRs are restored here too; SBI NACL
    """
    vcpu.arch.csr_dirty = False

    kvm_riscv_vcpu_config_load(vcpu)

    __this_cpu_write(hw_vs_csr, vcpu.arch.guest_csr)
    __this_cpu_write(hw_hvip, vcpu.arch.hvip)

    kvm_riscv_mmu_update_hgatp(vcpu)


# [Modified in release:v7.2]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/riscv/kvm/vcpu.c, v7.2

    Context: preemption off; IRQs on, rq lock not held
    Omits: vector
    """
    if vcpu != __this_cpu_read(kvm_former_vcpu):
        __this_cpu_write(kvm_former_vcpu, vcpu)
        restore_csrs(vcpu)
    elif vcpu.arch.last_exit_cpu == cpu and not vcpu.arch.csr_dirty:
        csr_restore_is_skipped(vcpu)
    else:
        restore_csrs(vcpu)

    kvm_riscv_vcpu_timer_restore(vcpu)

    kvm_riscv_vcpu_host_fp_save(vcpu)
    kvm_riscv_vcpu_guest_fp_restore(vcpu)

    kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)

    vcpu.cpu = cpu


# [Modified in release:v7.2]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """The CSRs keep what they hold.

    Mirrors: kvm_arch_vcpu_put(), arch/riscv/kvm/vcpu.c, v7.2
    Context: preemption off; at sched_out IRQs off and rq lock held
    Omits: AIA, vector, SBI NACL
    """
    vcpu.cpu = -1

    kvm_riscv_vcpu_guest_fp_save(vcpu)
    kvm_riscv_vcpu_host_fp_restore(vcpu)

    kvm_riscv_vcpu_timer_save(vcpu)

    vcpu.arch.guest_csr = __this_cpu_read(hw_vs_csr)
    vcpu.arch.hvip = __this_cpu_read(hw_hvip)


# [Modified in release:v7.2]
def csrs_are_current(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: for properties: the CPU holds the vCPU's VS CSRs as they are now."""
    return __this_cpu_read(hw_vs_csr) == token_of(vcpu)


# [Modified in release:v7.2]
def kvm_riscv_reset_vcpu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_reset_vcpu(), arch/riscv/kvm/vcpu.c, v7.2

    Context: task, in the run loop; preemption off
    Omits: vector, AIA, PMU; that SBI extensions reset their part of the configuration
    """
    get_cpu()
    loaded = vcpu.cpu != -1
    if loaded:
        kvm_arch_vcpu_put(vcpu)

    vcpu.arch.last_exit_cpu = -1

    reset_registers(vcpu)

    if loaded:
        kvm_arch_vcpu_load(vcpu, smp_processor_id())
    put_cpu()


# [Modified in release:v7.2]
def kvm_riscv_check_vcpu_requests(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_check_vcpu_requests(), arch/riscv/kvm/vcpu.c, v7.2

    Context: preemption and IRQs on
    Omits: sleep, FENCE.I, dirty rings. Where the scenario has them, KVM_REQ_VCPU_RESET and
    KVM_REQ_HFENCE_VVMA_ALL are free: another hart may have made them at any time.
    """
    if guest_resets and choose():
        kvm_riscv_reset_vcpu(vcpu)

    if kvm_check_request(KVM_REQ_UPDATE_HGATP, vcpu):
        kvm_riscv_mmu_update_hgatp(vcpu)

    if guest_fences and choose():
        kvm_riscv_hfence_vvma_all_process(vcpu)

    if kvm_request_pending(vcpu):
        if gstage_unmaps and kvm_check_request(KVM_REQ_HFENCE_GVMA_VMID_ALL, vcpu):
            kvm_riscv_hfence_process(vcpu)
        kvm_check_request(KVM_REQ_STEAL_UPDATE, vcpu)


# [Modified in release:v7.2]
def guest_runs(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest's own instructions. Every other copy of its VS CSRs is old from here on."""
    fresh(this_cpu(hw_vs_csr), vcpu)
    vcpu.arch.guest_context.fp = 0
    vcpu.arch.guest_context.fs_dirty = True
    guest_uses_memory(vcpu)
    if this_cpu(hw_hvip):
        this_cpu_write(hw_hvip, False)
        vcpu.irq_pending = False


# [Modified in release:v7.2]
def kvm_riscv_vcpu_enter_exit(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Mirrors: kvm_riscv_vcpu_enter_exit(), arch/riscv/kvm/vcpu.c, v7.2

    Omits: SCOUNTEREN, SENVCFG, SSTATEEN0, HSTATUS, which are exchanged at every entry and exit
    """
    guest_state_enter_irqoff()
    scause = __kvm_riscv_switch_to(vcpu)
    vcpu.arch.last_exit_cpu = vcpu.cpu
    guest_state_exit_irqoff()
    return scause


# [Modified in release:v7.2]
def note_exit_cpu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/riscv/kvm/vcpu.c, v7.2: it is set before, in
    kvm_riscv_vcpu_enter_exit()"""
    pass


# [Modified in release:v7.2]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Enter the guest until a signal or user space is needed.

    Mirrors: kvm_arch_vcpu_ioctl_run(), arch/riscv/kvm/vcpu.c, v7.2
    Context: task, vcpu->mutex held
    Omits: completion of MMIO, SBI and CSR exits; signal mask, AIA, guest time
    """
    if not vcpu.wants_to_run:
        return

    vcpu_load(vcpu)

    ret = 1
    while ret > 0:
        ret = xfer_to_guest_mode_handle_work(vcpu)
        if ret:
            continue
        ret = 1

        kvm_riscv_gstage_vmid_update(vcpu)

        kvm_riscv_check_vcpu_requests(vcpu)

        preempt_disable()
        local_irq_disable()

        vcpu.mode = IN_GUEST_MODE
        smp_mb__after_srcu_read_unlock()

        kvm_riscv_vcpu_flush_interrupts(vcpu)

        kvm_riscv_update_hvip(vcpu)

        if (
            kvm_riscv_gstage_vmid_ver_changed(vcpu.kvm)
            or kvm_request_pending(vcpu)
            or xfer_to_guest_mode_work_pending()
        ):
            vcpu.mode = OUTSIDE_GUEST_MODE
            local_irq_enable()
            preempt_enable()
            continue

        kvm_riscv_local_tlb_sanitize(vcpu)

        scause = kvm_riscv_vcpu_enter_exit(vcpu)

        vcpu.mode = OUTSIDE_GUEST_MODE

        kvm_riscv_vcpu_sync_interrupts(vcpu)

        local_irq_enable()
        local_irq_disable()

        local_irq_enable()
        preempt_enable()

        ret = kvm_riscv_vcpu_exit(vcpu, scause)

    vcpu_put(vcpu)


# [Modified in release:v7.2]
def kvm_vcpu_ioctl_get_regs(vcpu: ptr[kvm_vcpu]):
    """A vCPU ioctl that is not KVM_RUN: none loads the vCPU here; this one sets a CSR in memory, or
    guest debugging.

    Mirrors: kvm_vcpu_ioctl(), virt/kvm/kvm_main.c; kvm_arch_vcpu_ioctl(), arch/riscv/kvm/vcpu.c;
    kvm_riscv_vcpu_set_reg_csr(), arch/riscv/kvm/vcpu_onereg.c, v7.2
    """
    lock_vcpu(vcpu)
    if config_changes and choose():
        kvm_riscv_vcpu_config_guest_debug(vcpu)
    else:
        fresh(vcpu.arch.guest_csr, vcpu)
        vcpu.arch.csr_dirty = True
    unlock_vcpu(vcpu)

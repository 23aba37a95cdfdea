"""Load, put, reset and the run loop.

Mirrors: arch/riscv/kvm/vcpu.c, v6.12
"""


# [New in arch:riscv]
def kvm_riscv_gstage_update_hgatp(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_gstage_update_hgatp(), arch/riscv/kvm/mmu.c, v6.12

    Omits: the VMID: it was allocated before and no other VM uses them up
    """
    __this_cpu_write(hw_hgatp, token_of(vcpu.kvm))


# [New in arch:riscv]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/riscv/kvm/vcpu.c, v6.12

    Context: preemption off; IRQs on, rq lock not held
    Omits: HEDELEG, HENVCFG, HSTATEEN0, vector, AIA
    """
    __this_cpu_write(hw_vs_csr, vcpu.arch.guest_csr)
    __this_cpu_write(hw_hvip, vcpu.arch.hvip)

    kvm_riscv_gstage_update_hgatp(vcpu)

    kvm_riscv_vcpu_timer_restore(vcpu)

    kvm_riscv_vcpu_host_fp_save(vcpu)
    kvm_riscv_vcpu_guest_fp_restore(vcpu)

    kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)

    vcpu.cpu = cpu


# [New in arch:riscv]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/riscv/kvm/vcpu.c, v6.12

    Context: preemption off; at sched_out IRQs off and rq lock held
    Omits: AIA, vector; what stays in the host context, which is not looked at again: it is
    forgotten
    """
    vcpu.cpu = -1

    kvm_riscv_vcpu_guest_fp_save(vcpu)
    kvm_riscv_vcpu_host_fp_restore(vcpu)

    kvm_riscv_vcpu_timer_save(vcpu)

    vcpu.arch.guest_csr = __this_cpu_read(hw_vs_csr)
    vcpu.arch.hvip = __this_cpu_read(hw_hvip)


# [New in arch:riscv]
def csrs_are_current(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: for properties: the CPU holds the vCPU's VS CSRs as they are now, and its G-stage."""
    return (
        __this_cpu_read(hw_vs_csr) == token_of(vcpu) and __this_cpu_read(hw_hgatp) == token_of(vcpu.kvm)
    )


# [New in arch:riscv]
def reset_registers(vcpu: ptr[kvm_vcpu]):
    """New values in memory; what a CPU holds of the old ones is old. No interrupt is pending.

    Mirrors: kvm_riscv_reset_vcpu() where it copies guest_reset_csr and guest_reset_context, and
    clears irqs_pending and irqs_pending_mask, arch/riscv/kvm/vcpu.c; kvm_riscv_vcpu_fp_reset(),
    arch/riscv/kvm/vcpu_fp.c; kvm_riscv_vcpu_timer_reset(), arch/riscv/kvm/vcpu_timer.c, v6.12;
    kvm_riscv_vcpu_context_reset(), arch/riscv/kvm/vcpu.c, v7.3
    """
    with atomic:
        fresh(vcpu.arch.guest_csr, vcpu)
        if guest_sets_timer:
            fresh(vcpu.arch.next_cycles, vcpu)
        vcpu.arch.guest_context.fp = token_of(vcpu)
        vcpu.arch.guest_context.fs_dirty = False
        vcpu.arch.hvip = False
        vcpu.arch.irqs_pending_mask = False
        vcpu.irq_pending = False
    reset_hfence_queue(vcpu)


# [New in arch:riscv]
def kvm_riscv_reset_vcpu(vcpu: ptr[kvm_vcpu]):
    """Reset the registers in memory; a loaded vCPU is put before and loaded again after.

    Mirrors: kvm_riscv_reset_vcpu(), arch/riscv/kvm/vcpu.c, v6.12
    Context: task, in the run loop; preemption off, or the preempt notifiers would put and load
    in between
    Omits: vector, AIA, PMU, steal time
    """
    get_cpu()
    loaded = vcpu.cpu != -1
    if loaded:
        kvm_arch_vcpu_put(vcpu)

    forget_exit_cpu(vcpu)

    reset_registers(vcpu)

    if loaded:
        kvm_arch_vcpu_load(vcpu, smp_processor_id())
    put_cpu()


# [New in arch:riscv]
def kvm_arch_vcpu_blocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_blocking(), arch/riscv/kvm/vcpu.c, v6.12; Omits: AIA"""
    pass


# [New in arch:riscv]
def kvm_arch_vcpu_unblocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_unblocking(), arch/riscv/kvm/vcpu.c, v6.12; Omits: AIA"""
    pass


# [New in arch:riscv]
def kvm_arch_vcpu_runnable(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_arch_vcpu_runnable(), kvm_riscv_vcpu_has_interrupts(),
    arch/riscv/kvm/vcpu.c, v6.12

    Omits: VSIE: the guest has the interrupt enabled; the vCPU is on and not paused
    """
    return READ_ONCE(vcpu.irq_pending)


# [Modified in arch:riscv]
def device_interrupt():
    """A device's interrupt for a vCPU arrives at this CPU: post it, and kick; there is no request.

    Mirrors: kvm_riscv_vcpu_set_interrupt(), arch/riscv/kvm/vcpu.c, v6.12
    """
    with atomic:
        assume((device_irq_cpus >> smp_processor_id()) & 1)
        vcpu = choose_vcpu()
        assume(vcpu.device_irqs and not vcpu.irq_pending)
        vcpu.irq_pending = True
        vcpu.arch.irqs_pending_mask = True
    kvm_vcpu_kick(vcpu)


# [New in arch:riscv]
def kvm_riscv_check_vcpu_requests(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_check_vcpu_requests(), arch/riscv/kvm/vcpu.c, v6.12

    Omits: sleep, FENCE.I, fences that the guest asks for. KVM_REQ_VCPU_RESET is free, and KVM_REQ_UPDATE_HGATP where a scenario has
    it: another hart may have made it at any time.
    """
    if guest_resets and choose():
        kvm_riscv_reset_vcpu(vcpu)

    if hgatp_updates and choose():
        kvm_riscv_gstage_update_hgatp(vcpu)

    if kvm_request_pending(vcpu):
        if gstage_unmaps and kvm_check_request(KVM_REQ_HFENCE_GVMA_VMID_ALL, vcpu):
            kvm_riscv_hfence_process(vcpu)
        kvm_check_request(KVM_REQ_STEAL_UPDATE, vcpu)


# [New in arch:riscv]
def kvm_riscv_vcpu_flush_interrupts(vcpu: ptr[kvm_vcpu]):
    """What has changed since the last time goes to guest_csr.hvip.

    Mirrors: kvm_riscv_vcpu_flush_interrupts(), arch/riscv/kvm/vcpu.c, v6.12; Omits: AIA
    Context: irqs_pending_lock: one step
    """
    with atomic:
        if vcpu.arch.irqs_pending_mask:
            vcpu.arch.irqs_pending_mask = False
            vcpu.arch.hvip = vcpu.irq_pending


# [New in arch:riscv]
def kvm_riscv_update_hvip(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_update_hvip(), arch/riscv/kvm/vcpu.c, v6.12; Omits: AIA"""
    __this_cpu_write(hw_hvip, vcpu.arch.hvip)


# [New in arch:riscv]
def is_kicked(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: the guest, which runs here, takes the interrupt, or a kick's IPI brings it out for it."""
    return this_cpu(hw_hvip) or vcpu.mode == EXITING_GUEST_MODE


# [New in arch:riscv]
def kvm_riscv_vcpu_sync_interrupts(vcpu: ptr[kvm_vcpu]):
    """What the guest has changed in HVIP is pending, or not, unless somebody has posted since.

    Mirrors: kvm_riscv_vcpu_sync_interrupts(), arch/riscv/kvm/vcpu.c, v6.12
    Context: IRQs off; irqs_pending_lock: one step
    Omits: VSIE, LCOFIP, AIA; that irqs_pending_mask is set and the next entry writes hvip: it is written
    here, as nothing but a put looks at it before, which writes the same
    """
    with atomic:
        hvip = this_cpu(hw_hvip)
        if vcpu.arch.hvip != hvip and not vcpu.arch.irqs_pending_mask:
            vcpu.irq_pending = hvip
            vcpu.arch.hvip = hvip
    kvm_riscv_vcpu_timer_sync(vcpu)


# [Modified in arch:riscv]
def guest_state_enter_irqoff():
    """Mirrors: guest_state_enter_irqoff(), include/linux/kvm_host.h, v6.12: a place to look."""
    pass


# [New in arch:riscv]
def guest_state_exit_irqoff():
    """Mirrors: guest_state_exit_irqoff(), include/linux/kvm_host.h, v6.12: a place to look."""
    pass


# [New in arch:riscv]
def guest_runs(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest's own instructions. It finds its registers, changes them, takes the interrupt
    that is in HVIP. Every other copy of its VS CSRs is old from here on."""
    fresh(this_cpu(hw_vs_csr), vcpu)
    vcpu.arch.guest_context.fp = 0
    vcpu.arch.guest_context.fs_dirty = True
    guest_uses_memory(vcpu)
    if this_cpu(hw_hvip):
        this_cpu_write(hw_hvip, False)
        vcpu.irq_pending = False


# [New in arch:riscv]
def __kvm_riscv_switch_to(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Enter the guest, and come back for an interrupt of this CPU or for what the guest did.

    Mirrors: __kvm_riscv_switch_to, arch/riscv/kvm/vcpu_switch.S, v6.12
    Context: IRQs off; one that comes makes the guest exit and is taken later
    Omits: a guest that never uses FP
    """
    with atomic:
        guest_runs(vcpu)
    return choose(EXIT_INTERRUPT, EXIT_TRAP)


# [New in arch:riscv]
def kvm_riscv_vcpu_enter_exit(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Mirrors: kvm_riscv_vcpu_enter_exit(), arch/riscv/kvm/vcpu.c, v6.12

    Omits: SENVCFG, SSTATEEN0
    """
    guest_state_enter_irqoff()
    scause = __kvm_riscv_switch_to(vcpu)
    guest_state_exit_irqoff()
    return scause


# [New in arch:riscv]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Enter the guest until a signal or user space is needed.

    Mirrors: kvm_arch_vcpu_ioctl_run(), arch/riscv/kvm/vcpu.c, v6.12
    Context: task, vcpu->mutex held
    Omits: completion of MMIO, SBI and CSR exits; signal mask, VMID update and its test, AIA, guest
    time
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

        kvm_riscv_check_vcpu_requests(vcpu)

        preempt_disable()
        local_irq_disable()

        vcpu.mode = IN_GUEST_MODE
        smp_mb__after_srcu_read_unlock()

        kvm_riscv_vcpu_flush_interrupts(vcpu)

        kvm_riscv_update_hvip(vcpu)

        if kvm_request_pending(vcpu) or xfer_to_guest_mode_work_pending():
            vcpu.mode = OUTSIDE_GUEST_MODE
            local_irq_enable()
            preempt_enable()
            continue

        kvm_riscv_local_tlb_sanitize(vcpu)

        scause = kvm_riscv_vcpu_enter_exit(vcpu)

        note_exit_cpu(vcpu)

        vcpu.mode = OUTSIDE_GUEST_MODE

        kvm_riscv_vcpu_sync_interrupts(vcpu)

        local_irq_enable()
        local_irq_disable()

        local_irq_enable()
        preempt_enable()

        ret = kvm_riscv_vcpu_exit(vcpu, scause)

    vcpu_put(vcpu)


# [Modified in arch:riscv]
def kvm_vcpu_ioctl_get_regs(vcpu: ptr[kvm_vcpu]):
    """A vCPU ioctl that is not KVM_RUN: none loads the vCPU here; this one sets a CSR in memory.

    Mirrors: kvm_vcpu_ioctl(), virt/kvm/kvm_main.c; kvm_arch_vcpu_ioctl() case KVM_SET_ONE_REG,
    arch/riscv/kvm/vcpu.c, v6.12
    """
    lock_vcpu(vcpu)
    kvm_riscv_vcpu_set_reg_csr(vcpu)
    unlock_vcpu(vcpu)


# [New in arch:riscv]
def kvm_riscv_vcpu_set_reg_csr(vcpu: ptr[kvm_vcpu]):
    """Memory has a newer CSR than any CPU.

    Mirrors: kvm_riscv_vcpu_set_reg_csr(), kvm_riscv_vcpu_general_set_csr(),
    arch/riscv/kvm/vcpu_onereg.c, v6.12
    Context: task that holds vcpu->mutex; the vCPU is not loaded
    Omits: SIP, which is pending interrupts too
    """
    fresh(vcpu.arch.guest_csr, vcpu)

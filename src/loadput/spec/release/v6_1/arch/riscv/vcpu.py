"""Load and the run loop of v6.1.

Mirrors: arch/riscv/kvm/vcpu.c, v6.1
"""


# [Modified in release:v6.1]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/riscv/kvm/vcpu.c, v6.1

    Omits: HENVCFG
    """
    __this_cpu_write(hw_vs_csr, vcpu.arch.guest_csr)
    __this_cpu_write(hw_hvip, vcpu.arch.hvip)

    kvm_riscv_gstage_update_hgatp(vcpu)

    kvm_riscv_vcpu_timer_restore(vcpu)

    kvm_riscv_vcpu_host_fp_save(vcpu)
    kvm_riscv_vcpu_guest_fp_restore(vcpu)

    vcpu.cpu = cpu


# [Modified in release:v6.1]
def kvm_riscv_check_vcpu_requests(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_check_vcpu_requests(), arch/riscv/kvm/vcpu.c, v6.1

    Omits: as in arch:riscv; there is no steal time
    """
    if guest_resets and choose():
        kvm_riscv_reset_vcpu(vcpu)

    if hgatp_updates and choose():
        kvm_riscv_gstage_update_hgatp(vcpu)

    if gstage_unmaps and kvm_check_request(KVM_REQ_HFENCE_GVMA_VMID_ALL, vcpu):
        kvm_riscv_hfence_process(vcpu)


# [Modified in release:v6.1]
def kvm_riscv_vcpu_exit(vcpu: ptr[kvm_vcpu], scause: upto[1]) -> int:
    """Positive: enter again; 0: back to user space. What the guest did is free.

    Mirrors: kvm_riscv_vcpu_exit(), arch/riscv/kvm/vcpu_exit.c; wfi_insn(),
    arch/riscv/kvm/vcpu_insn.c, v6.1: WRS does not trap, so nobody calls kvm_vcpu_on_spin()
    """
    if scause == EXIT_INTERRUPT:
        return 1
    if vcpu.guest_halts and choose():
        kvm_riscv_vcpu_wfi(vcpu)
        return 1
    if guest_traps and choose():
        kvm_riscv_vcpu_trap_redirect(vcpu)
        return 1
    if guest_sets_timer and choose():
        kvm_riscv_vcpu_timer_next_event(vcpu)
        return 1
    return 0


# [New in release:v6.1]
def kvm_riscv_vcpu_run_loop(vcpu: ptr[kvm_vcpu]):
    """The loop of kvm_arch_vcpu_ioctl_run(); preemption is off only around the exit's IRQ window.

    Mirrors: kvm_arch_vcpu_ioctl_run(), arch/riscv/kvm/vcpu.c, v6.1; Omits: as in arch:riscv
    """
    vcpu_load(vcpu)

    ret = 1
    while ret > 0:
        ret = xfer_to_guest_mode_handle_work(vcpu)
        if not ret:
            ret = 1

        kvm_riscv_check_vcpu_requests(vcpu)

        local_irq_disable()

        vcpu.mode = IN_GUEST_MODE
        smp_mb__after_srcu_read_unlock()

        kvm_riscv_vcpu_flush_interrupts(vcpu)

        kvm_riscv_update_hvip(vcpu)

        if ret <= 0 or kvm_request_pending(vcpu) or xfer_to_guest_mode_work_pending():
            vcpu.mode = OUTSIDE_GUEST_MODE
            local_irq_enable()
            continue

        kvm_riscv_local_tlb_sanitize(vcpu)

        scause = kvm_riscv_vcpu_enter_exit(vcpu)

        note_exit_cpu(vcpu)

        vcpu.mode = OUTSIDE_GUEST_MODE

        kvm_riscv_vcpu_sync_interrupts(vcpu)

        preempt_disable()

        local_irq_enable()
        local_irq_disable()

        local_irq_enable()
        preempt_enable()

        ret = kvm_riscv_vcpu_exit(vcpu, scause)

    vcpu_put(vcpu)


# [Modified in release:v6.1]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/riscv/kvm/vcpu.c, v6.1, up to vcpu_load()"""
    if vcpu.immediate_exit:
        return

    kvm_riscv_vcpu_run_loop(vcpu)

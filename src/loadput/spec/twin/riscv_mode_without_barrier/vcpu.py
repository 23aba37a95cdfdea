# [Modified in twin:riscv_mode_without_barrier]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """As v7.2 else."""
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


# [Modified in twin:riscv_mode_without_barrier]
def kvm_riscv_vcpu_flush_interrupts(vcpu: ptr[kvm_vcpu]):
    """Without the lock."""
    if READ_ONCE(vcpu.arch.irqs_pending_mask):
        WRITE_ONCE(vcpu.arch.irqs_pending_mask, False)
        vcpu.arch.hvip = READ_ONCE(vcpu.irq_pending)

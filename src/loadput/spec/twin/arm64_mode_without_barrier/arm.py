# [Modified in twin:arm64_mode_without_barrier]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """As v7.3 else."""
    vcpu_load(vcpu)

    if not vcpu.wants_to_run:
        vcpu_put(vcpu)
        return

    ret = 1
    while ret > 0:
        ret = xfer_to_guest_mode_handle_work(vcpu)
        if not ret:
            ret = 1

        if ret > 0:
            ret = check_vcpu_requests(vcpu)

        preempt_disable()

        local_irq_disable()

        WRITE_ONCE(vcpu.mode, IN_GUEST_MODE)

        if ret <= 0 or kvm_vcpu_exit_request(vcpu):
            smp_store_release(vcpu.mode, OUTSIDE_GUEST_MODE)
            local_irq_enable()
            preempt_enable()
            continue

        kvm_vgic_flush_hwstate(vcpu)

        kvm_arch_vcpu_ctxflush_fp(vcpu)

        exception_index = kvm_arm_vcpu_enter_exit(vcpu)

        kvm_vgic_sync_hwstate(vcpu)

        kvm_arch_vcpu_ctxsync_fp(vcpu)

        smp_store_release(vcpu.mode, OUTSIDE_GUEST_MODE)

        if exception_index == ARM_EXCEPTION_IRQ:
            local_irq_enable()
            local_irq_disable()

        local_irq_enable()

        preempt_enable()

        ret = handle_exit(vcpu, exception_index)

    vcpu_put(vcpu)

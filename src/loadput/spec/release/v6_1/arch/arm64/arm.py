"""Load, put and the run loop of v6.1.

Mirrors: arch/arm64/kvm/arm.c, v6.1
"""


# [Modified in release:v6.1]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/arm64/kvm/arm.c, v6.1; Omits: as in arch:arm64"""
    mmu = addr(vcpu.kvm.arch.mmu)

    if this_cpu(last_vcpu_ran)[mmu - 1] != vcpu:
        __kvm_flush_cpu_context(mmu)
        this_cpu(last_vcpu_ran)[mmu - 1] = vcpu

    vcpu.cpu = cpu

    kvm_vgic_load(vcpu)
    if has_vhe():
        kvm_vcpu_load_sysregs_vhe(vcpu)
    kvm_arch_vcpu_load_fp(vcpu)
    kvm_arch_vcpu_load_debug_state_flags(vcpu)


# [Modified in release:v6.1]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/arm64/kvm/arm.c, v6.1; Omits: as in arch:arm64"""
    kvm_arch_vcpu_put_debug_state_flags(vcpu)
    kvm_arch_vcpu_put_fp(vcpu)
    if has_vhe():
        kvm_vcpu_put_sysregs_vhe(vcpu)
    kvm_vgic_put(vcpu)
    kvm_arm_vmid_clear_active()

    vcpu.cpu = -1


# [New in release:v6.1]
def kvm_arch_vcpu_run_loop(vcpu: ptr[kvm_vcpu]):
    """The loop of kvm_arch_vcpu_ioctl_run(); the VMID is got at each turn.

    Mirrors: kvm_arch_vcpu_ioctl_run(), arch/arm64/kvm/arm.c, v6.1; Omits: as in arch:arm64
    """
    ret = 1
    while ret > 0:
        ret = xfer_to_guest_mode_handle_work(vcpu)
        if not ret:
            ret = 1

        if ret > 0:
            ret = check_vcpu_requests(vcpu)

        preempt_disable()

        kvm_arm_vmid_update(addr(vcpu.kvm.arch.mmu.vmid))

        local_irq_disable()

        kvm_vgic_flush_hwstate(vcpu)

        smp_store_mb(vcpu.mode, IN_GUEST_MODE)

        if ret <= 0 or kvm_vcpu_exit_request(vcpu):
            vcpu.mode = OUTSIDE_GUEST_MODE
            kvm_vgic_sync_hwstate(vcpu)
            local_irq_enable()
            preempt_enable()
            continue

        kvm_arch_vcpu_ctxflush_fp(vcpu)

        exception_index = kvm_arm_vcpu_enter_exit(vcpu)

        vcpu.mode = OUTSIDE_GUEST_MODE

        kvm_vgic_sync_hwstate(vcpu)
        kvm_arch_vcpu_ctxsync_fp(vcpu)

        if exception_index == ARM_EXCEPTION_IRQ:
            local_irq_enable()
            local_irq_disable()

        local_irq_enable()
        preempt_enable()

        ret = handle_exit(vcpu, exception_index)


# [Modified in release:v6.1]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/arm64/kvm/arm.c, v6.1"""
    vcpu_load(vcpu)

    if not vcpu.immediate_exit:
        kvm_arch_vcpu_run_loop(vcpu)

    vcpu_put(vcpu)

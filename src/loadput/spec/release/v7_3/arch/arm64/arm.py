"""Load, put and the run loop: vgic and debug registers in another order, interrupts last.

Mirrors: arch/arm64/kvm/arm.c, v7.3
"""


# [Modified in release:v7.3]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/arm64/kvm/arm.c, v7.3

    Context: preemption off; IRQs on, rq lock not held
    Omits: nested virtualization, pKVM, timers, fine-grained traps, PMU but for PMUSERENR_EL0, pvtime,
    WFx and pauth traps, CPUs that the VM's PMU does not support, arch.pid
    """
    mmu = addr(vcpu.kvm.arch.mmu)

    kvm_arm_vmid_update(addr(mmu.vmid))

    if this_cpu(last_vcpu_ran)[mmu - 1] != vcpu:
        __kvm_flush_cpu_context(mmu)
        this_cpu(last_vcpu_ran)[mmu - 1] = vcpu

    vcpu.cpu = cpu

    kvm_vgic_load(vcpu)
    kvm_vcpu_load_debug(vcpu)
    if has_vhe():
        kvm_vcpu_load_vhe(vcpu)
    kvm_arch_vcpu_load_fp(vcpu)


# [Modified in release:v7.3]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/arm64/kvm/arm.c, v7.3

    Context: preemption off; at sched_out IRQs off and rq lock held
    Omits: as kvm_arch_vcpu_load()
    """
    put_protected(vcpu)

    kvm_vcpu_put_debug(vcpu)
    kvm_arch_vcpu_put_fp(vcpu)
    if has_vhe():
        kvm_vcpu_put_vhe(vcpu)
    kvm_vgic_put(vcpu)
    kvm_arm_vmid_clear_active()

    vcpu.cpu = -1


# [New in release:v7.3]
def put_protected(vcpu: ptr[kvm_vcpu]):
    """Ours: what a put does under pKVM: here nothing."""
    pass


# [New in release:v7.3]
def kvm_nested_flush_hwstate(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_nested_flush_hwstate(), arch/arm64/kvm/nested.c, v7.3, of a guest that has no guest"""
    pass


# [New in release:v7.3]
def handle_exit_early(vcpu: ptr[kvm_vcpu], exception_index: upto[1]):
    """Mirrors: handle_exit_early(), arch/arm64/kvm/handle_exit.c, v7.3, without pKVM; Omits: SError"""
    pass


# [Modified in release:v7.3]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Enter the guest until a signal or user space is needed. The list registers are filled once
    nothing can keep the vCPU out, and mode says OUTSIDE once they are folded.

    Mirrors: kvm_arch_vcpu_ioctl_run(), arch/arm64/kvm/arm.c, v7.3
    Context: task, vcpu->mutex held
    Omits: MMIO completion, signal mask, PMU, timers, guest time; 32-bit user mode
    """
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

        kvm_nested_flush_hwstate(vcpu)

        local_irq_disable()

        smp_store_mb(vcpu.mode, IN_GUEST_MODE)

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
        handle_exit_early(vcpu, exception_index)
        preempt_enable()

        ret = handle_exit(vcpu, exception_index)

    vcpu_put(vcpu)

"""Load, put and the run loop.

Mirrors: arch/arm64/kvm/arm.c, v6.12
"""


# [New in arch:arm64]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/arm64/kvm/arm.c, v6.12

    Context: preemption off; IRQs on, rq lock not held
    Omits: nested virtualization, vgic, timers, PMU, pvtime, WFx and pauth traps, debug flags,
    CPUs that the VM's PMU does not support
    """
    mmu = addr(vcpu.kvm.arch.mmu)

    # Linux commit fa808ed4e199 ("KVM: arm64: Ensure a VMID is allocated before programming
    # VTTBR_EL2") (in v6.14), backported to v6.12.y
    kvm_arm_vmid_update(addr(mmu.vmid))

    if this_cpu(last_vcpu_ran)[mmu - 1] != vcpu:
        __kvm_flush_cpu_context(mmu)
        this_cpu(last_vcpu_ran)[mmu - 1] = vcpu

    vcpu.cpu = cpu

    kvm_vgic_load(vcpu)
    if has_vhe():
        kvm_vcpu_load_vhe(vcpu)
    kvm_arch_vcpu_load_fp(vcpu)
    kvm_arch_vcpu_load_debug_state_flags(vcpu)


# [New in arch:arm64]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/arm64/kvm/arm.c, v6.12

    Context: preemption off; at sched_out IRQs off and rq lock held
    Omits: as kvm_arch_vcpu_load()
    """
    kvm_arch_vcpu_put_debug_state_flags(vcpu)
    kvm_arch_vcpu_put_fp(vcpu)
    if has_vhe():
        kvm_vcpu_put_vhe(vcpu)
    kvm_vgic_put(vcpu)
    kvm_arm_vmid_clear_active()

    vcpu.cpu = -1


# [New in arch:arm64]
def kvm_arch_vcpu_blocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_blocking(), arch/arm64/kvm/arm.c, v6.12"""
    pass


# [New in arch:arm64]
def kvm_arch_vcpu_unblocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_unblocking(), arch/arm64/kvm/arm.c, v6.12"""
    pass


# [New in arch:arm64]
def kvm_arch_vcpu_runnable(v: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_arch_vcpu_runnable(), arch/arm64/kvm/arm.c, v6.12

    Omits: interrupt lines of a userspace irqchip
    """
    return kvm_vgic_vcpu_pending_irq(v) and vcpu_can_run(v)


# [New in arch:arm64]
def kvm_vcpu_wfi(vcpu: ptr[kvm_vcpu]):
    """Wait until an interrupt comes. The vgic is put first: what decides whether to wait is then in
    memory, and a doorbell is asked for.

    Mirrors: kvm_vcpu_wfi(), arch/arm64/kvm/arm.c, v6.12; Omits: WFIT
    """
    preempt_disable()
    vcpu_set_flag(vcpu, IN_WFI)
    kvm_vgic_put(vcpu)
    preempt_enable()

    kvm_vcpu_halt(vcpu)

    preempt_disable()
    vcpu_clear_flag(vcpu, IN_WFI)
    kvm_vgic_load(vcpu)
    preempt_enable()


# [New in arch:arm64]
def check_vcpu_requests(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: check_vcpu_requests(), arch/arm64/kvm/arm.c, v6.12

    Omits: steal time, GICv4, PMU, suspend, dirty ring, nested. KVM_REQ_VCPU_RESET is free:
    another vCPU may have made it at any time.
    """
    if kvm_check_request(KVM_REQ_SLEEP, vcpu):
        kvm_vcpu_sleep(vcpu)

    if guest_resets and choose():
        kvm_reset_vcpu(vcpu)

    if kvm_request_pending(vcpu):
        kvm_check_request(KVM_REQ_IRQ_PENDING, vcpu)

    return 1


# [New in arch:arm64]
def kvm_vcpu_exit_request(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_vcpu_exit_request(), arch/arm64/kvm/arm.c, v6.12

    Omits: userspace irqchip, unsupported CPUs
    """
    return kvm_request_pending(vcpu) or xfer_to_guest_mode_work_pending()


# [Modified in arch:arm64]
def guest_state_enter_irqoff():
    """Mirrors: guest_state_enter_irqoff(), include/linux/kvm_host.h, v6.12: a place to look."""
    pass


# [New in arch:arm64]
def guest_state_exit_irqoff():
    """Mirrors: guest_state_exit_irqoff(), include/linux/kvm_host.h, v6.12: a place to look."""
    pass


# [New in arch:arm64]
def kvm_arm_vcpu_enter_exit(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Mirrors: kvm_arm_vcpu_enter_exit(), arch/arm64/kvm/arm.c, v6.12"""
    guest_state_enter_irqoff()
    ret = __kvm_vcpu_run(vcpu)
    guest_state_exit_irqoff()

    return ret


# [New in arch:arm64]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Enter the guest until a signal or user space is needed.

    Mirrors: kvm_arch_vcpu_ioctl_run(), arch/arm64/kvm/arm.c, v6.12
    Context: task, vcpu->mutex held
    Omits: MMIO completion, signal mask, PMU, timers, debug registers, guest time
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
        local_irq_disable()

        kvm_vgic_flush_hwstate(vcpu)

        smp_store_mb(vcpu.mode, IN_GUEST_MODE)

        if ret <= 0 or kvm_vcpu_exit_request(vcpu):
            kvm_vgic_sync_hwstate(vcpu)
            smp_store_release(vcpu.mode, OUTSIDE_GUEST_MODE)
            local_irq_enable()
            preempt_enable()
            continue

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


# [Modified in arch:arm64]
def kvm_vcpu_ioctl_get_regs(vcpu: ptr[kvm_vcpu]):
    """A vCPU ioctl that is not KVM_RUN: none loads the vCPU here; this one resets it.

    Mirrors: kvm_vcpu_ioctl(), virt/kvm/kvm_main.c; kvm_arch_vcpu_ioctl() case KVM_ARM_VCPU_INIT,
    kvm_arch_vcpu_ioctl_vcpu_init(), arch/arm64/kvm/arm.c, v6.12
    """
    lock_vcpu(vcpu)
    kvm_reset_vcpu(vcpu)
    unlock_vcpu(vcpu)

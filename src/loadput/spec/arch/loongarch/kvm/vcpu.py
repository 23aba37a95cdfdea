"""Load, put and the way into the guest.

Mirrors: arch/loongarch/kvm/vcpu.c, v6.12
"""


# [New in arch:loongarch]
def kvm_update_stolen_time(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_update_stolen_time(), arch/loongarch/kvm/vcpu.c, v6.12

    Omits: the sum in guest memory and its version
    """
    if not vcpu.steal_time:
        return
    vcpu.arch.st.last_steal = current.sched_info_run_delay


# [New in arch:loongarch]
def kvm_check_requests(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: kvm_check_requests(), arch/loongarch/kvm/vcpu.c, v6.12; Omits: TLB flush, dirty rings"""
    if not kvm_request_pending(vcpu):
        return RESUME_GUEST

    if kvm_check_request(KVM_REQ_STEAL_UPDATE, vcpu):
        kvm_update_stolen_time(vcpu)

    return RESUME_GUEST


# [New in arch:loongarch]
def kvm_enter_guest_check(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: kvm_enter_guest_check(), arch/loongarch/kvm/vcpu.c, v6.12"""
    ret = xfer_to_guest_mode_handle_work(vcpu)
    if ret < 0:
        return ret

    return kvm_check_requests(vcpu)


# [New in arch:loongarch]
def kvm_pre_enter_guest(vcpu: ptr[kvm_vcpu]) -> int:
    """Positive, with IRQs off: enter the guest.

    Mirrors: kvm_pre_enter_guest(), arch/loongarch/kvm/vcpu.c, v6.12
    Omits: PMU and TLB requests; the host's EENTRY
    """
    while True:
        ret = kvm_enter_guest_check(vcpu)
        if ret != RESUME_GUEST:
            break

        local_irq_disable()
        kvm_deliver_exception(vcpu)
        kvm_check_vpid(vcpu)
        smp_store_mb(vcpu.mode, IN_GUEST_MODE)
        kvm_deliver_intr(vcpu)

        vcpu.arch.swcsr_latest = False

        if kvm_request_pending(vcpu) or xfer_to_guest_mode_work_pending():
            smp_store_mb(vcpu.mode, OUTSIDE_GUEST_MODE)
            local_irq_enable()
            ret = -1
        if ret == RESUME_GUEST:
            break

    return ret


# [Modified in arch:loongarch]
def guest_state_enter_irqoff():
    """Mirrors: guest_state_enter_irqoff(), include/linux/kvm_host.h, v6.12: a place to look."""
    pass


# [New in arch:loongarch]
def guest_state_exit_irqoff():
    """Mirrors: guest_state_exit_irqoff(), include/linux/kvm_host.h, v6.12: a place to look."""
    pass


# [New in arch:loongarch]
def guest_runs(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest's own instructions. It finds its registers, changes them, takes the interrupt
    that is in GINTC."""
    fresh(this_cpu(hw_gcsr), vcpu)
    if vcpu.arch.fpu_in_use:
        vcpu.arch.fpu = 0
    guest_uses_memory(vcpu)
    this_cpu_write(hw_gintc, False)


# [New in arch:loongarch]
def kvm_enter_guest(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Enter the guest, and come back for an interrupt of this CPU or for what the guest did.

    Mirrors: kvm_enter_guest, kvm_exc_entry, arch/loongarch/kvm/switch.S, v6.12
    Context: IRQs off; one that comes makes the guest exit and is taken later
    """
    with atomic:
        guest_runs(vcpu)
    return choose(EXIT_INTERRUPT, EXIT_FAULT)


# [New in arch:loongarch]
def kvm_handle_exit(vcpu: ptr[kvm_vcpu], ecode: upto[1]) -> int:
    """Mirrors: kvm_handle_exit(), arch/loongarch/kvm/vcpu.c, v6.12, up to kvm_pre_enter_guest(), which
    the loop of kvm_arch_vcpu_run_loop() calls here

    Omits: PMU, guest time
    """
    smp_store_mb(vcpu.mode, OUTSIDE_GUEST_MODE)

    guest_state_exit_irqoff()
    local_irq_enable()

    if ecode == EXIT_INTERRUPT:
        return RESUME_GUEST
    return kvm_handle_fault(vcpu)


# [New in arch:loongarch]
def kvm_arch_vcpu_runnable(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_arch_vcpu_runnable(), arch/loongarch/kvm/vcpu.c, v6.12; Omits: mp_state"""
    return READ_ONCE(vcpu.irq_pending)


# [New in arch:loongarch]
def kvm_arch_vcpu_blocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_blocking(), arch/loongarch/include/asm/kvm_host.h, v6.12"""
    pass


# [New in arch:loongarch]
def kvm_arch_vcpu_unblocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_unblocking(), arch/loongarch/include/asm/kvm_host.h, v6.12"""
    pass


# [New in arch:loongarch]
def kvm_own_fpu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_own_fpu(), arch/loongarch/kvm/vcpu.c, v6.12; preemption off throughout: one step"""
    with atomic:
        this_cpu_write(hw_fpen, True)
        this_cpu_write(hw_guest_fp, vcpu.arch.fpu)
        this_cpu_write(hw_fp, 0)
        vcpu.arch.fpu_in_use = True


# [New in arch:loongarch]
def kvm_lose_fpu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_lose_fpu(), arch/loongarch/kvm/vcpu.c, v6.12; Omits: LSX, LASX, LBT"""
    if vcpu.arch.fpu_in_use:
        vcpu.arch.fpu = this_cpu_read(hw_guest_fp)
        this_cpu_write(hw_guest_fp, 0)
        vcpu.arch.fpu_in_use = False
        this_cpu_write(hw_fpen, False)


# [New in arch:loongarch]
def _kvm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: _kvm_vcpu_load(), arch/loongarch/kvm/vcpu.c, v6.12

    Omits: timer, cache attribute, GCNTC, the LL bit
    """
    migrated = vcpu.arch.last_sched_cpu != cpu

    context = per_cpu_ptr(addr(vmcs), cpu)
    if migrated or context.last_vcpu != vcpu:
        vcpu.arch.hwcsr_usable = False
    context.last_vcpu = vcpu

    kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)

    if vcpu.arch.hwcsr_usable:
        return

    this_cpu_write(hw_gcsr, vcpu.arch.csr)

    this_cpu_write(hw_gintc, vcpu.arch.gintc)

    vcpu.arch.hwcsr_usable = True


# [New in arch:loongarch]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/loongarch/kvm/vcpu.c, v6.12

    Context: preemption off; IRQs on, rq lock not held. One step, where the C has none: with interrupts off
    nothing comes between on this CPU, and no other CPU reads or writes what it touches, the CPU's own
    registers and last_vcpu, and what of the vCPU only its own task has. A request is a bit of its own.
    """
    local_irq_save(flags)
    with atomic:
        _kvm_vcpu_load(vcpu, cpu)
    local_irq_restore(flags)


# [New in arch:loongarch]
def _kvm_vcpu_put(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: _kvm_vcpu_put(), arch/loongarch/kvm/vcpu.c, v6.12; Omits: timer"""
    kvm_lose_fpu(vcpu)

    if not vcpu.arch.swcsr_latest:
        vcpu.arch.csr = this_cpu_read(hw_gcsr)
        vcpu.arch.swcsr_latest = True

    vcpu.arch.gintc = this_cpu_read(hw_gintc)


# [New in arch:loongarch]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/loongarch/kvm/vcpu.c, v6.12

    Context: preemption off; at sched_out IRQs off and rq lock held. One step, as the load
    """
    local_irq_save(flags)
    with atomic:
        cpu = smp_processor_id()
        vcpu.arch.last_sched_cpu = cpu

        _kvm_vcpu_put(vcpu, cpu)
    local_irq_restore(flags)


# [New in arch:loongarch]
def kvm_arch_vcpu_run_loop(vcpu: ptr[kvm_vcpu]):
    """Enter the guest until a signal or user space is needed.

    Mirrors: kvm_arch_vcpu_ioctl_run(), arch/loongarch/kvm/vcpu.c; kvm_exc_entry,
    arch/loongarch/kvm/switch.S, v6.12: from the loss of the FPU on
    Omits: signal mask, guest time
    """
    lose_fpu()
    vcpu_load(vcpu)

    ret = RESUME_GUEST
    while ret == RESUME_GUEST:
        ret = kvm_pre_enter_guest(vcpu)
        if ret != RESUME_GUEST:
            break
        guest_state_enter_irqoff()
        ret = kvm_handle_exit(vcpu, kvm_enter_guest(vcpu))

    vcpu_put(vcpu)


# [New in arch:loongarch]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/loongarch/kvm/vcpu.c, v6.12, up to lose_fpu()

    Context: task, vcpu->mutex held
    Omits: completion of MMIO and IOCSR exits
    """
    if not vcpu.wants_to_run:
        return

    kvm_arch_vcpu_run_loop(vcpu)


# [New in arch:loongarch]
def _kvm_getcsr(vcpu: ptr[kvm_vcpu]):
    """KVM_GET_ONE_REG of ESTAT: what is pending goes into it, so that a saved VM has it.

    Mirrors: _kvm_getcsr(), arch/loongarch/kvm/vcpu.c, v6.12
    """
    preempt_disable()
    vcpu_load(vcpu)
    kvm_deliver_intr(vcpu)
    vcpu.arch.swcsr_latest = False
    vcpu_put(vcpu)
    preempt_enable()


# [Modified in arch:loongarch]
def kvm_vcpu_ioctl_get_regs(vcpu: ptr[kvm_vcpu]):
    """A vCPU ioctl that is not KVM_RUN: it sets a CSR in memory, or gets ESTAT from the CPU.

    Mirrors: kvm_vcpu_ioctl(), virt/kvm/kvm_main.c; kvm_arch_vcpu_ioctl() cases KVM_SET_ONE_REG and
    KVM_GET_ONE_REG, _kvm_setcsr(), arch/loongarch/kvm/vcpu.c, v6.12
    """
    lock_vcpu(vcpu)
    if choose():
        fresh(vcpu.arch.csr, vcpu)
        vcpu.arch.hwcsr_usable = False
    else:
        _kvm_getcsr(vcpu)
    unlock_vcpu(vcpu)

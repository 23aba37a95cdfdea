"""The x86 side of a vCPU's load, put and run.

Mirrors: arch/x86/kvm/x86.c, v6.12. The vendor's operations, kvm_x86_call(op)() in C, are the
functions kvm_x86_<op>() of arch/svm and arch/vmx.
"""

# TSC_AUX stands for every MSR that is switched lazily. All guests have one value for it here.
TSC_AUX_HOST = 0
TSC_AUX_GUEST = 1

# What a guest leaves for, other than an interrupt. EXIT_OTHER: whatever KVM handles itself.
EXIT_OTHER = 0
EXIT_HLT = 1
EXIT_PAUSE = 2
EXIT_TO_USER = 3


class kvm_user_return_msrs(struct, per="cpu"):
    registered: bool
    curr: upto[1]


user_return_msrs: per_cpu[kvm_user_return_msrs]
hw_tsc_aux: per_cpu[upto[1]]
tsc_aux_uret_slot = 0


# [New in arch:x86]
def kvm_set_user_return_msr(slot: upto[0], value: upto[1], mask: int) -> int:
    """Give the guest's value to the hardware, and see to it that the host's comes back.

    Mirrors: kvm_set_user_return_msr(), arch/x86/kvm/x86.c, v6.12
    Context: preemption off
    Omits: the mask (all bits), a failing WRMSR, all slots but one
    """
    msrs = this_cpu_ptr(addr(user_return_msrs))
    if value == msrs.curr:
        return 0
    this_cpu_write(hw_tsc_aux, value)
    msrs.curr = value
    if not msrs.registered:
        msrs.registered = True
    return 0


# [New in arch:x86]
def kvm_on_user_return(msrs: ptr[kvm_user_return_msrs]):
    """Mirrors: kvm_on_user_return(), arch/x86/kvm/x86.c, v6.12

    Context: IRQs off on the way to user mode, on in the thread of a CPU that goes offline
    """
    local_irq_save(flags)
    if msrs.registered:
        msrs.registered = False
    local_irq_restore(flags)
    if msrs.curr != TSC_AUX_HOST:
        this_cpu_write(hw_tsc_aux, TSC_AUX_HOST)
        msrs.curr = TSC_AUX_HOST


# [New in arch:x86]
def l1d_flush_is_due(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: whether the next entry of the vCPU, on this CPU, flushes the L1 data cache."""
    return vcpu.arch.l1tf_flush_l1d


# [New in arch:x86]
def indirect_branch_prediction_barrier():
    """A place for properties: the CPU forgets what it has learned of branches.

    Mirrors: indirect_branch_prediction_barrier(), arch/x86/include/asm/nospec-branch.h, v6.12
    """
    pass


# [New in arch:x86]
def kvm_pause_in_guest(kvm: ptr[kvm]) -> bool:
    """Mirrors: kvm_pause_in_guest(), arch/x86/kvm/x86.h, v6.12: PAUSE exits"""
    return False


# [New in arch:x86]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/x86/kvm/x86.c, v6.12

    Context: preemption off, IRQs on
    Omits: WBINVD emulation, host PKRU, TSC offsets and catch-up, the APIC timers, kvmclock; the
    request is made for every guest: one that does not use steal time goes round once more before it
    enters, which it may do here or not
    """
    vcpu.arch.l1tf_flush_l1d = True

    if vcpu.scheduled_out and vpmu_in_use:
        vcpu.arch.pmu.need_cleanup = True
        kvm_make_request(KVM_REQ_PMU, vcpu)

    kvm_x86_vcpu_load(vcpu, cpu)

    if vcpu.cpu != cpu:
        vcpu.cpu = cpu

    if vcpu.steal_time:
        kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)


# [New in arch:x86]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/x86/kvm/x86.c, v6.12

    Omits: preempted_in_kernel but for how it is found (who reads it finds any value:
    kvm_arch_vcpu_preempted_in_kernel()), Xen's runstate, srcu, last_host_tsc
    """
    if vcpu.preempted:
        kvm_x86_get_cpl(vcpu)
        kvm_steal_time_set_preempted(vcpu)

    kvm_x86_vcpu_put(vcpu)


# [New in arch:x86]
def kvm_x86_get_cpl(vcpu: ptr[kvm_vcpu]):
    """A vendor's, where it is more than memory.

    Mirrors: svm_x86_ops.get_cpl, arch/x86/kvm/svm/svm.c, v6.12
    """
    pass


# [New in arch:x86]
def kvm_pmu_handle_event(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_pmu_handle_event(), kvm_pmu_cleanup(), arch/x86/kvm/pmu.c, v6.12

    Omits: the counters
    """
    if vcpu.arch.pmu.need_cleanup:
        vcpu.arch.pmu.need_cleanup = False


# [New in arch:x86]
def kvm_vcpu_running(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_vcpu_running(), arch/x86/kvm/x86.c, v6.12

    Omits: mp_state other than RUNNABLE and HALTED, async page faults
    """
    return not vcpu.arch.halted


# [New in arch:x86]
def kvm_x86_interrupt_allowed(vcpu: ptr[kvm_vcpu]) -> bool:
    """A guest that waits takes interrupts.

    Mirrors: kvm_arch_interrupt_allowed(), arch/x86/kvm/x86.c, v6.12; kvm_is_interrupt_allowed(),
    arch/x86/kvm/x86.c, v7.3"""
    return True


# [New in arch:x86]
def kvm_cpu_has_interrupt(v: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_cpu_has_interrupt(), arch/x86/kvm/irq.c, v6.12"""
    return READ_ONCE(v.irq_pending)


# [New in arch:x86]
def kvm_vcpu_has_events(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_vcpu_has_events(), arch/x86/kvm/x86.c, v6.12: an interrupt that is allowed"""
    return kvm_x86_interrupt_allowed(vcpu) and kvm_cpu_has_interrupt(vcpu)


# [New in arch:x86]
def kvm_arch_vcpu_runnable(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_arch_vcpu_runnable(), arch/x86/kvm/x86.c, v6.12"""
    return kvm_vcpu_running(vcpu) or kvm_vcpu_has_events(vcpu)


# [New in arch:x86]
def kvm_arch_vcpu_blocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_blocking(), arch/x86/include/asm/kvm_host.h, v6.12

    Omits: AVIC, which is off
    """
    pass


# [New in arch:x86]
def kvm_arch_vcpu_unblocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_unblocking(), arch/x86/include/asm/kvm_host.h, v6.12

    Omits: AVIC, which is off
    """
    pass


# [New in arch:x86]
def kvm_emulate_halt(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: kvm_emulate_halt(), __kvm_emulate_halt(), arch/x86/kvm/x86.c, v6.12

    Omits: an APIC in user space
    """
    if not kvm_vcpu_has_events(vcpu):
        vcpu.arch.halted = True
    return 1


# [New in arch:x86]
def kvm_check_and_inject_events(vcpu: ptr[kvm_vcpu]):
    """The pending interrupt goes to the guest.

    Mirrors: kvm_check_and_inject_events(), arch/x86/kvm/x86.c, v6.12
    Omits: whether the guest takes it on this entry or a later one (interrupt window,
    cancel_injection): from here on it is the guest's
    """
    WRITE_ONCE(vcpu.irq_pending, False)


# [Modified in arch:x86]
def xfer_to_guest_mode_work_pending() -> bool:
    """A signal, need_resched: free.

    Mirrors: xfer_to_guest_mode_work_pending(), include/linux/entry-kvm.h, v6.12
    """
    return choose()


# [Modified in arch:x86]
def xfer_to_guest_mode_handle_work(vcpu: ptr[kvm_vcpu]) -> int:
    """A signal ends KVM_RUN; need_resched gives the CPU away.

    Mirrors: xfer_to_guest_mode_handle_work(), xfer_to_guest_mode_work(), kernel/entry/kvm.c, v6.12

    Omits: notify-resume work, that it looks again; with preempt=full the preemption that may come
    anywhere here stands for schedule()
    """
    if signal_pending(current):
        return -1
    if preempt_model != PREEMPT_FULL and need_resched():
        schedule()
    return 0


# [New in arch:x86]
def kvm_vcpu_exit_request(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_vcpu_exit_request(), arch/x86/kvm/x86.c, v6.12"""
    return (
        vcpu.mode == EXITING_GUEST_MODE
        or kvm_request_pending(vcpu)
        or xfer_to_guest_mode_work_pending()
    )


# [New in arch:x86]
def kvm_x86_sync_pir_to_irr(vcpu: ptr[kvm_vcpu]):
    """On VMX only.

    Mirrors: vt_x86_ops.sync_pir_to_irr, arch/x86/kvm/vmx/main.c, v6.12
    """
    pass


# [New in arch:x86]
def kvm_x86_dy_apicv_has_pending_interrupt(vcpu: ptr[kvm_vcpu]) -> bool:
    """Without APICv: no.

    Mirrors: vt_x86_ops.dy_apicv_has_pending_interrupt, arch/x86/kvm/vmx/main.c, v6.12
    """
    return False


# [Modified in arch:x86]
def kvm_arch_dy_has_pending_interrupt(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_arch_dy_has_pending_interrupt(), arch/x86/kvm/x86.c, v6.12"""
    return kvm_x86_dy_apicv_has_pending_interrupt(vcpu)


# [Modified in arch:x86]
def kvm_arch_dy_runnable(vcpu: ptr[kvm_vcpu]) -> bool:
    """For a vCPU that is not loaded here.

    Mirrors: kvm_arch_dy_runnable(), arch/x86/kvm/x86.c, v6.12
    Omits: paravirtual halts, NMI, SMI
    """
    if READ_ONCE(vcpu.requests[KVM_REQ_EVENT]):
        return True

    return kvm_arch_dy_has_pending_interrupt(vcpu)


# [New in arch:x86]
def vcpu_enter_guest(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: vcpu_enter_guest(), arch/x86/kvm/x86.c, v6.12

    Returns: 1 go on, 0 back to user space
    Omits: the other requests; the test that one is pending at all; MMU, APIC, FPU, debug registers;
    the fast path that enters again at once; cancel_injection
    """
    if kvm_check_request(KVM_REQ_STEAL_UPDATE, vcpu):
        record_steal_time(vcpu)
    if kvm_check_request(KVM_REQ_PMU, vcpu):
        kvm_pmu_handle_event(vcpu)
    if kvm_check_request(KVM_REQ_EVENT, vcpu):
        kvm_check_and_inject_events(vcpu)

    preempt_disable()

    kvm_x86_prepare_switch_to_guest(vcpu)

    local_irq_disable()

    smp_store_release(vcpu.mode, IN_GUEST_MODE)

    smp_mb__after_srcu_read_unlock()

    kvm_x86_sync_pir_to_irr(vcpu)

    if kvm_vcpu_exit_request(vcpu):
        vcpu.mode = OUTSIDE_GUEST_MODE
        smp_wmb()
        local_irq_enable()
        preempt_enable()
        return 1

    snapshot_host_debugctl(vcpu)

    kvm_x86_vcpu_run(vcpu)

    vcpu.mode = OUTSIDE_GUEST_MODE
    smp_wmb()

    kvm_x86_handle_exit_irqoff(vcpu)

    note_that_guest_ran()

    local_irq_enable()
    local_irq_disable()

    local_irq_enable()
    preempt_enable()

    return kvm_x86_handle_exit(vcpu)


# [New in arch:x86]
def vcpu_block(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: vcpu_block(), arch/x86/kvm/x86.c, v6.12

    Omits: the timers, nested events, INIT and SIPI, srcu
    """
    if not kvm_arch_vcpu_runnable(vcpu):
        kvm_vcpu_halt(vcpu)

        if not kvm_arch_vcpu_runnable(vcpu):
            return 1

    vcpu.arch.halted = False
    return 1


# [New in arch:x86]
def vcpu_run(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: vcpu_run(), arch/x86/kvm/x86.c, v6.12

    Omits: timers; the interrupt window; the test that there is work at all, which is free
    """
    while True:
        vcpu.arch.at_instruction_boundary = False
        if kvm_vcpu_running(vcpu):
            r = vcpu_enter_guest(vcpu)
        else:
            r = vcpu_block(vcpu)

        if r <= 0:
            break

        kvm_clear_request(KVM_REQ_UNBLOCK, vcpu)

        r = xfer_to_guest_mode_handle_work(vcpu)
        if r:
            return r

    return r


# [New in arch:x86]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/x86/kvm/x86.c, v6.12

    Omits: signal masks, guest FPU, srcu, registers shared with user space, a vCPU waiting for INIT.
    at_instruction_boundary is forgotten at the end, where nobody asks for it; the kernel keeps it
    until vcpu_run() begins again, so that a task that is preempted on its way there may be reported
    to the guest.
    """
    vcpu_load(vcpu)

    if not vcpu.wants_to_run:
        r = -1
    else:
        r = vcpu_run(vcpu)

    vcpu_put(vcpu)
    vcpu.arch.at_instruction_boundary = False
    return r

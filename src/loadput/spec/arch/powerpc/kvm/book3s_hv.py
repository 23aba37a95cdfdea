"""Stolen time, and the way into a guest of POWER9.

Mirrors: arch/powerpc/kvm/book3s_hv.c, v6.12
"""


# [New in arch:powerpc]
def kvmppc_core_vcpu_load_hv(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvmppc_core_vcpu_load_hv() where the CPU has CPU_FTR_ARCH_300,
    arch/powerpc/kvm/book3s_hv.c, v6.12
    """
    if vcpu.arch.busy_preempt:
        WARN_ON(vcpu.arch.state != KVMPPC_VCPU_BUSY_IN_HOST)
        fresh(vcpu.arch.stolen_tb, vcpu)
        vcpu.arch.busy_preempt = False


# [New in arch:powerpc]
def kvmppc_core_vcpu_put_hv(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvmppc_core_vcpu_put_hv() where the CPU has CPU_FTR_ARCH_300,
    arch/powerpc/kvm/book3s_hv.c, v6.12

    Omits: the times of vCPUs whose guest does not look (steal_time): nothing tells them apart
    """
    WARN_ON(vcpu.arch.state == KVMPPC_VCPU_RUNNABLE)
    if task_is_running(current) and vcpu.arch.state == KVMPPC_VCPU_BUSY_IN_HOST:
        vcpu.arch.busy_preempt = vcpu.steal_time


# [New in arch:powerpc]
def task_is_running(p: ptr[task_struct]) -> bool:
    """Mirrors: task_is_running(), include/linux/sched.h, v6.12"""
    return READ_ONCE(p.__state) == TASK_RUNNING


# [New in arch:powerpc]
def kvmppc_update_vpa_dispatch_p9(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvmppc_update_vpa_dispatch_p9(), arch/powerpc/kvm/book3s_hv.c, v6.12

    Omits: the dispatch trace log
    """
    vcpu.arch.vpa_stolen = vcpu.arch.stolen_tb


# [New in arch:powerpc]
def kvmppc_core_prepare_to_enter(vcpu: ptr[kvm_vcpu]):
    """An external interrupt is given to the guest, or asked for by LPCR_MER; it stays pending until the
    guest takes it.

    Mirrors: kvmppc_core_prepare_to_enter(), arch/powerpc/kvm/book3s.c; kvmhv_run_single_vcpu() where it
    tests for BOOK3S_IRQPRIO_EXTERNAL, arch/powerpc/kvm/book3s_hv.c, v6.12
    """
    vcpu.arch.mer = READ_ONCE(vcpu.irq_pending)


# [Modified in arch:powerpc]
def guest_state_enter_irqoff():
    """Mirrors: guest_state_enter_irqoff(), include/linux/kvm_host.h, v6.12: a place to look."""
    pass


# [New in arch:powerpc]
def guest_runs(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest's own instructions. It finds its registers, changes them, takes its interrupt."""
    fresh(this_cpu(hw_guest_fp), vcpu)
    guest_uses_memory(vcpu)
    if vcpu.arch.mer:
        vcpu.irq_pending = False
        vcpu.arch.mer = False


# [New in arch:powerpc]
def kvmhv_vcpu_entry_p9(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvmhv_vcpu_entry_p9(), load_vcpu_state(), store_vcpu_state(),
    arch/powerpc/kvm/book3s_hv_p9_entry.c, v6.12

    Context: IRQs off
    Omits: SPRs, TM, the time base, partition IDs, an IPI that came before MSR_EE was hard-disabled
    """
    if kvmppc_doorbell_pending(vcpu):
        vcpu.arch.doorbell_request = False

    with atomic:
        this_cpu_write(hw_guest_fp, vcpu.arch.fp)
        this_cpu_write(hw_fp, 0)
        check_need_tlb_flush(vcpu)
        guest_runs(vcpu)
        vcpu.arch.fp = this_cpu_read(hw_guest_fp)
        this_cpu_write(hw_guest_fp, 0)


# [New in arch:powerpc]
def kvmhv_p9_guest_entry(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """0: nothing to handle: after H_CEDE, or where it did not run for an interrupt.

    Mirrors: kvmhv_p9_guest_entry(), arch/powerpc/kvm/book3s_hv.c, v6.12; Omits: XIVE, timers
    """
    kvmhv_vcpu_entry_p9(vcpu)

    if vcpu.guest_halts and choose():
        kvmppc_cede(vcpu)
        return 0
    return choose()


# [New in arch:powerpc]
def kvmppc_set_vcpu_cpu(vcpu: ptr[kvm_vcpu], pcpu: cpu):
    """Mirrors: kvmhv_run_single_vcpu() where it sets cpu and thread_cpu, and the barrier after it,
    arch/powerpc/kvm/book3s_hv.c, v6.12

    Context: before it tests for pending work, with which kvmppc_fast_vcpu_kick_hv() is paired
    """
    vcpu.cpu = pcpu
    vcpu.arch.thread_cpu = pcpu
    smp_mb()


# [New in arch:powerpc]
def kvmppc_leave_guest(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvmhv_run_single_vcpu() where it is back in the host, and its label out,
    arch/powerpc/kvm/book3s_hv.c, v6.12
    """
    vcpu.cpu = -1
    vcpu.arch.thread_cpu = -1
    vcpu.arch.state = KVMPPC_VCPU_BUSY_IN_HOST
    take_ipis()
    local_irq_enable()
    preempt_enable()


# [New in arch:powerpc]
def take_ipis():
    """Ours: where interrupts come on, or were on till now, the IPIs to this CPU have been taken."""
    this_cpu_write(ipi_pending, False)


# [New in arch:powerpc]
def kvmppc_vcpu_check_block(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvmppc_vcpu_check_block(), arch/powerpc/kvm/book3s_hv.c, v6.12"""
    return not vcpu.arch.ceded or kvmppc_vcpu_woken(vcpu)


# [New in arch:powerpc]
def kvmppc_block(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: kvmhv_run_single_vcpu() where the vCPU waits, arch/powerpc/kvm/book3s_hv.c, v6.12

    Omits: the decrementer's timer
    """
    wait = kvm_arch_vcpu_get_wait(vcpu)
    ret = RESUME_GUEST

    prepare_to_rcuwait(wait)
    while True:
        set_current_state(TASK_INTERRUPTIBLE)
        if signal_pending(current):
            ret = -1
            break

        if kvmppc_vcpu_check_block(vcpu):
            break

        schedule()
    finish_rcuwait(wait)
    return ret


# [New in arch:powerpc]
def kvmppc_handle_exit_hv(vcpu: ptr[kvm_vcpu]) -> int:
    """Positive: enter again; 0: back to user space. What the guest did is free.

    Mirrors: kvmppc_handle_exit_hv(), arch/powerpc/kvm/book3s_hv.c, v6.12
    """
    if guest_doorbells and choose():
        for tvcpu in each(kvm_vcpu):
            if tvcpu != vcpu:
                kvmppc_emulate_doorbell_instr(vcpu, tvcpu)
        return RESUME_GUEST
    if guest_prods and choose():
        for tvcpu in each(kvm_vcpu):
            if tvcpu != vcpu:
                kvmppc_h_prod(tvcpu)
        return RESUME_GUEST
    return RESUME_HOST


# [New in arch:powerpc]
def kvmppc_may_enter(vcpu: ptr[kvm_vcpu]) -> bool:
    """need_resched() or a change of the MMU keeps the vCPU out of the guest: free.

    Mirrors: kvmhv_run_single_vcpu() where it goes to out, arch/powerpc/kvm/book3s_hv.c, v6.12
    """
    return choose()


# [New in arch:powerpc]
def kvmhv_run_single_vcpu(vcpu: ptr[kvm_vcpu]) -> int:
    """Enter the guest once, handle what it comes out for, and wait where it has nothing to do.

    Mirrors: kvmhv_run_single_vcpu(), arch/powerpc/kvm/book3s_hv.c, v6.12
    Omits: nested guests, VPAs, timers
    """
    vcpu.arch.ceded = False

    cond_resched()

    preempt_disable()
    pcpu = smp_processor_id()
    kvmppc_prepare_radix_vcpu(vcpu, pcpu)

    local_irq_disable()
    take_ipis()

    vcpu.arch.state = KVMPPC_VCPU_RUNNABLE

    if signal_pending(current):
        kvmppc_leave_guest(vcpu)
        return -1
    if not kvmppc_may_enter(vcpu):
        kvmppc_leave_guest(vcpu)
        return RESUME_GUEST

    kvmppc_set_vcpu_cpu(vcpu, pcpu)

    kvmppc_core_prepare_to_enter(vcpu)

    kvmppc_update_vpa_dispatch_p9(vcpu)

    guest_state_enter_irqoff()

    trap = kvmhv_p9_guest_entry(vcpu)

    kvmppc_leave_guest(vcpu)

    r = RESUME_GUEST
    if trap:
        r = kvmppc_handle_exit_hv(vcpu)

    if r == RESUME_GUEST and not kvmppc_vcpu_check_block(vcpu):
        r = kvmppc_block(vcpu)
    vcpu.arch.ceded = False

    return r


# [New in arch:powerpc]
def kvmppc_vcpu_run_hv(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvmppc_vcpu_run_hv(), arch/powerpc/kvm/book3s_hv.c, v6.12

    Omits: SPRs, hypercalls, page faults
    """
    if signal_pending(current):
        return

    kvmppc_save_user_regs()

    vcpu.arch.state = KVMPPC_VCPU_BUSY_IN_HOST

    r = RESUME_GUEST
    while r == RESUME_GUEST:
        r = kvmhv_run_single_vcpu(vcpu)

    vcpu.arch.state = KVMPPC_VCPU_NOTREADY

"""Load, put and the run loop.

Mirrors: arch/s390/kvm/kvm-s390.c, v6.12
"""

# __vcpu_run() asks after each exit, with interrupts on.
ASKS_WITH_IRQS_OFF = 0

EXIT_NULL = 0
EXIT_ICPT = 1


# [New in arch:s390]
def is_vcpu_idle(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: is_vcpu_idle(), arch/s390/kvm/kvm-s390.h, v6.12"""
    return vcpu.arch.idle


# [New in arch:s390]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/s390/kvm/kvm-s390.c, v6.12

    Context: preemption off; IRQs on, rq lock not held
    """
    gmap_enable(vcpu.arch.enabled_gmap)
    xchg(vcpu.arch.sie_block.running, True)
    if vcpu.arch.cputm_enabled and not is_vcpu_idle(vcpu):
        __start_cpu_timer_accounting(vcpu)
    vcpu.cpu = cpu


# [New in arch:s390]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/s390/kvm/kvm-s390.c, v6.12

    Context: preemption off; at sched_out IRQs off and rq lock held
    """
    vcpu.cpu = -1
    if vcpu.arch.cputm_enabled and not is_vcpu_idle(vcpu):
        __stop_cpu_timer_accounting(vcpu)
    xchg(vcpu.arch.sie_block.running, False)
    vcpu.arch.enabled_gmap = gmap_get_enabled()
    gmap_disable(vcpu.arch.enabled_gmap)


# [New in arch:s390]
def kvm_arch_vcpu_runnable(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_arch_vcpu_runnable(), arch/s390/kvm/kvm-s390.c, v6.12"""
    clear_kicked(vcpu)
    return kvm_s390_vcpu_has_irq(vcpu)


# [New in arch:s390]
def clear_kicked(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_runnable(), vcpu_pre_run(), arch/s390/kvm/kvm-s390.c, v6.12: clear_bit()
    in gisa_int.kicked_mask
    """
    xchg(vcpu.arch.kicked, False)


# [New in arch:s390]
def kvm_arch_vcpu_blocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_blocking(), arch/s390/include/asm/kvm_host.h, v6.12"""
    pass


# [New in arch:s390]
def kvm_arch_vcpu_unblocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_unblocking(), arch/s390/include/asm/kvm_host.h, v6.12"""
    pass


# [Modified in arch:s390]
def guest_state_enter_irqoff():
    """Mirrors: guest_state_enter_irqoff(), include/linux/kvm_host.h, v6.12: a place to look."""
    pass


# [New in arch:s390]
def vcpu_pre_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vcpu_pre_run(), arch/s390/kvm/kvm-s390.c, v6.12: its schedule() where need_resched is set
    is cond_resched() here, as with preempt=full preemption may come anywhere in it

    Omits: async page faults, debugging
    """
    cond_resched()

    kvm_s390_deliver_pending_interrupts(vcpu)

    kvm_s390_handle_requests(vcpu)

    clear_kicked(vcpu)


# [New in arch:s390]
def guest_runs(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest's own instructions. It finds its registers, changes them, and takes what is
    pending in the GISA. What memory has of its access registers is old: nobody's."""
    vcpu.arch.acrs = 0
    if gisa:
        vcpu.kvm.gisa_ipm = False


# [New in arch:s390]
def sie64a(vcpu: ptr[kvm_vcpu]):
    """Run the guest, unless it is not to be run, or is to be intercepted at once.

    Mirrors: __sie64a, SIEEXIT, arch/s390/kernel/entry.S, v6.12
    Context: IRQs and preemption on. An interrupt from PROG_IN_SIE on takes the CPU out of SIE before it
    is handled, and the task goes on after the guest: so it is as if it had come before, and IRQs are off
    here up to the guest. A flag that is set meanwhile may be seen a little later.
    """
    local_irq_disable()
    WRITE_ONCE(vcpu.arch.sie_block.in_sie, True)
    if not kvm_s390_vcpu_sie_inhibited(vcpu):
        smp_mb()  # SIE serializes before it looks at the state description: docs/memory.md
        with atomic:
            intercepted = vcpu.arch.sie_block.ext_int or vcpu.arch.sie_block.stop_int
        if not intercepted:
            with atomic:
                guest_runs(vcpu)
    WRITE_ONCE(vcpu.arch.sie_block.in_sie, False)
    local_irq_enable()


# [New in arch:s390]
def vcpu_post_run(vcpu: ptr[kvm_vcpu]) -> int:
    """0: enter again; negative: back to user space. What the guest did is free.

    Mirrors: vcpu_post_run(), arch/s390/kvm/kvm-s390.c; kvm_handle_sie_intercept(),
    arch/s390/kvm/intercept.c; __diag_time_slice_end(), arch/s390/kvm/diag.c, v6.12
    """
    if choose(EXIT_NULL, EXIT_ICPT) == EXIT_NULL:
        return 0
    if vcpu.guest_halts and choose():
        kvm_s390_handle_wait(vcpu)
        return 0
    if vcpu.guest_spins and choose():
        kvm_vcpu_on_spin(vcpu, True)
        return 0
    return -1


# [New in arch:s390]
def __vcpu_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __vcpu_run(), arch/s390/kvm/kvm-s390.c, v6.12; Omits: protected guests, debugging"""
    while True:
        vcpu_pre_run(vcpu)

        local_irq_disable()
        guest_state_enter_irqoff()
        __disable_cpu_timer_accounting(vcpu)
        local_irq_enable()
        sie64a(vcpu)
        local_irq_disable()
        __enable_cpu_timer_accounting(vcpu)
        local_irq_enable()

        rc = vcpu_post_run(vcpu)
        if rc or signal_pending(current):
            break


# [New in arch:s390]
def sync_regs(vcpu: ptr[kvm_vcpu]):
    """Mirrors: sync_regs(), arch/s390/kvm/kvm-s390.c, v6.12; Omits: all but the access registers"""
    vcpu.arch.host_acrs = this_cpu_read(hw_acrs)
    this_cpu_write(hw_acrs, 0)
    this_cpu_write(hw_guest_acrs, vcpu.arch.acrs)


# [New in arch:s390]
def store_regs(vcpu: ptr[kvm_vcpu]):
    """Mirrors: store_regs(), arch/s390/kvm/kvm-s390.c, v6.12; Omits: all but the access registers"""
    vcpu.arch.acrs = this_cpu_read(hw_guest_acrs)
    this_cpu_write(hw_guest_acrs, 0)
    this_cpu_write(hw_acrs, vcpu.arch.host_acrs)
    vcpu.arch.host_acrs = 0


# [New in arch:s390]
def kvm_s390_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/s390/kvm/kvm-s390.c, v6.12, from the load on

    Omits: signal mask, FP, debugging. The access registers are the task's own, and nobody else looks
    at them: their change is one step.
    """
    vcpu_load(vcpu)

    with atomic:
        sync_regs(vcpu)
    enable_cpu_timer_accounting(vcpu)

    __vcpu_run(vcpu)

    disable_cpu_timer_accounting(vcpu)
    with atomic:
        store_regs(vcpu)

    vcpu_put(vcpu)


# [New in arch:s390]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/s390/kvm/kvm-s390.c, v6.12, up to vcpu_load()"""
    if not vcpu.wants_to_run:
        return

    kvm_s390_run(vcpu)

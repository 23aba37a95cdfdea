"""Interrupts on their way into the guest, and vCPUs that wait for them.

Mirrors: arch/s390/kvm/interrupt.c, v6.12
"""

# Adapters post their interrupts in the GISA.
gisa = False


# [New in arch:s390]
def kvm_s390_vcpu_has_irq(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_s390_vcpu_has_irq(), deliverable_irqs(), arch/s390/kvm/interrupt.c, v6.12

    Omits: timers; a guest that has its interrupts masked
    """
    if READ_ONCE(vcpu.irq_pending):
        return True
    return gisa and READ_ONCE(vcpu.kvm.gisa_ipm)


# [Modified in arch:s390]
def is_deliverable(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: an interrupt waits that the guest would take if it ran."""
    return vcpu.irq_pending or (gisa and vcpu.kvm.gisa_ipm)


# [New in arch:s390]
def is_kicked(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: the guest, which runs here, is about to be intercepted."""
    return vcpu.arch.sie_block.ext_int


# [New in arch:s390]
def __set_cpu_idle(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __set_cpu_idle(), arch/s390/kvm/interrupt.c, v6.12"""
    xchg(vcpu.arch.sie_block.wait, True)
    xchg(vcpu.arch.idle, True)


# [New in arch:s390]
def __unset_cpu_idle(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __unset_cpu_idle(), arch/s390/kvm/interrupt.c, v6.12"""
    xchg(vcpu.arch.sie_block.wait, False)
    xchg(vcpu.arch.idle, False)


# [New in arch:s390]
def __reset_intercept_indicators(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __reset_intercept_indicators(), arch/s390/kvm/interrupt.c, v6.12"""
    kvm_s390_clear_ints(vcpu)


# [New in arch:s390]
def kvm_s390_clear_ints(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_s390_clear_cpuflags(vcpu, CPUSTAT_IO_INT | CPUSTAT_EXT_INT | CPUSTAT_STOP_INT),
    arch/s390/kvm/kvm-s390.h, v6.12: one atomic AND
    """
    with atomic:
        vcpu.arch.sie_block.ext_int = False
        vcpu.arch.sie_block.stop_int = False


# [New in arch:s390]
def kvm_s390_deliver_pending_interrupts(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_s390_deliver_pending_interrupts(), arch/s390/kvm/interrupt.c, v6.12

    Omits: timers, machine checks; what stays pending because the guest masks it; the lock under which
    each of the functions that it calls does its clear_bit()
    """
    __reset_intercept_indicators(vcpu)

    if READ_ONCE(vcpu.irq_pending):
        xchg(vcpu.irq_pending, False)
    if gisa and READ_ONCE(vcpu.kvm.gisa_ipm):
        gisa_tac_ipm_gisc(vcpu.kvm)


# [New in arch:s390]
def gisa_tac_ipm_gisc(kvm: ptr[kvm]):
    """Mirrors: gisa_tac_ipm_gisc(), arch/s390/kvm/interrupt.c, v6.12: test_and_clear_bit_inv()"""
    xchg(kvm.gisa_ipm, False)


# [New in arch:s390]
def kvm_s390_handle_wait(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_s390_handle_wait(), arch/s390/kvm/interrupt.c, v6.12; Omits: timers, disabled wait"""
    if kvm_arch_vcpu_runnable(vcpu):
        return

    if gisa and READ_ONCE(vcpu.kvm.gisa_ipm):
        return

    __set_cpu_idle(vcpu)
    kvm_vcpu_halt(vcpu)
    __unset_cpu_idle(vcpu)


# [New in arch:s390]
def kvm_s390_vcpu_wakeup(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_s390_vcpu_wakeup(), arch/s390/kvm/interrupt.c, v6.12; Omits: vSIE"""
    kvm_vcpu_wake_up(vcpu)


# [Modified in arch:s390]
def device_interrupt():
    """An interrupt for a vCPU: post it, make SIE intercept, and wake the vCPU.

    Mirrors: kvm_s390_inject_vcpu(), __inject_extcall(), arch/s390/kvm/interrupt.c, v6.12, which another
    thread or vCPU calls; kvm_arch_set_irq_inatomic(), __floating_irq_kick(),
    arch/s390/kvm/s390/interrupt.c, v7.3, which an interrupt does
    """
    with atomic:
        assume((device_irq_cpus >> smp_processor_id()) & 1)
        vcpu = choose_vcpu()
        assume(vcpu.device_irqs and not vcpu.irq_pending)
        vcpu.irq_pending = True
    kvm_s390_set_ext_int(vcpu)
    kvm_s390_vcpu_wakeup(vcpu)


# [New in arch:s390]
def kvm_s390_set_ext_int(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_s390_set_cpuflags(vcpu, CPUSTAT_EXT_INT), arch/s390/kvm/kvm-s390.h, v6.12"""
    xchg(vcpu.arch.sie_block.ext_int, True)


# [New in arch:s390]
@irq
@env
def adapter_interrupt():
    """An adapter posts its interrupt in the GISA of a VM.

    Mirrors: what the hardware does, before process_gib_alert_list(), arch/s390/kvm/interrupt.c, v6.12
    """
    with atomic:
        assume(gisa)
        vm = choose_vm()
        assume(not vm.gisa_ipm)
        vm.gisa_ipm = True


# [New in arch:s390]
def choose_vm() -> ptr[kvm]:
    """Ours: any VM."""
    return choose(1, NR_VMS)


# [New in arch:s390]
@irq
def gisa_vcpu_kicker():
    """While an interrupt is pending in the GISA, a timer wakes the first vCPU that waits.

    Mirrors: gisa_vcpu_kicker(), __airqs_kick_single_vcpu(), arch/s390/kvm/interrupt.c, v6.12
    Omits: how the alert starts the timer; a run that finds no vCPU to wake changes nothing
    """
    with atomic:
        assume(gisa)
        vcpu = any_vcpu()
        assume(vcpu.kvm.gisa_ipm and vcpu.arch.idle and not is_idle_before(vcpu))
        assume(not vcpu.arch.kicked)
        vcpu.arch.kicked = True
    kvm_s390_vcpu_wakeup(vcpu)


# [New in arch:s390]
def any_vcpu() -> ptr[kvm_vcpu]:
    """Ours: any vCPU."""
    return choose(1, NR_VCPUS)


# [New in arch:s390]
def is_idle_before(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: a vCPU of the VM with a lower number waits: for_each_set_bit() finds that."""
    for v in each(kvm_vcpu):
        if v == vcpu:
            return False
        if v.kvm == vcpu.kvm and v.arch.idle:
            return True
    return False

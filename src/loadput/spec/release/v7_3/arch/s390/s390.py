"""Load and put leave address spaces alone: SIE gets the guest's as an argument. From the test of the
task's work to SIE, IRQs are off.

Mirrors: arch/s390/kvm/s390/s390.c, arch/s390/kernel/entry.S, v7.3. Control register 1 of a CPU is
lowcore_gmap here: the address space that the CPU uses, nobody's where it is the host's.
"""

ASKS_WITH_IRQS_OFF = 1


# [Modified in release:v7.3]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/s390/kvm/s390/s390.c, v7.3

    Context: preemption off; IRQs on, rq lock not held
    """
    xchg(vcpu.arch.sie_block.running, True)
    if vcpu.arch.cputm_enabled and not is_vcpu_idle(vcpu):
        __start_cpu_timer_accounting(vcpu)
    vcpu.cpu = cpu


# [Modified in release:v7.3]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/s390/kvm/s390/s390.c, v7.3

    Context: preemption off; at sched_out IRQs off and rq lock held
    """
    vcpu.cpu = -1
    if vcpu.arch.cputm_enabled and not is_vcpu_idle(vcpu):
        __stop_cpu_timer_accounting(vcpu)
    xchg(vcpu.arch.sie_block.running, False)


# [Modified in release:v7.3]
def vcpu_pre_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vcpu_pre_run(), arch/s390/kvm/s390/s390.c, v7.3

    Omits: async page faults, debugging
    """
    kvm_s390_deliver_pending_interrupts(vcpu)

    kvm_s390_handle_requests(vcpu)

    clear_kicked(vcpu)


# [New in release:v7.3]
def irqs_are_on_in_sie():
    """Ours: a place to look: between stosm and stnsm of __sie64a."""
    pass


# [New in release:v7.3]
def __sie64a(vcpu: ptr[kvm_vcpu]):
    """Run the guest in its VM's address space, unless it is not to be run, or is to be intercepted at
    once.

    Mirrors: __sie64a, SIEEXIT, arch/s390/kernel/entry.S, v7.3
    Context: IRQs off; they are on inside, and preemption all the time. An interrupt inside takes the CPU
    out of SIE and out of the guest's address space before it is handled, and the task goes on after
    the guest: so it is taken behind all of that here. A flag that is set meanwhile may be seen a
    little later, and an interrupt that waits already, which keeps a CPU out of the guest, lets it run.
    """
    this_cpu_write(lowcore_gmap, token_of(vcpu.kvm))
    WRITE_ONCE(vcpu.arch.sie_block.in_sie, True)
    if not kvm_s390_vcpu_sie_inhibited(vcpu):
        smp_mb()  # SIE serializes before it looks at the state description: docs/memory.md
        with atomic:
            intercepted = vcpu.arch.sie_block.ext_int or vcpu.arch.sie_block.stop_int
        if not intercepted:
            with atomic:
                guest_runs(vcpu)
    WRITE_ONCE(vcpu.arch.sie_block.in_sie, False)
    this_cpu_write(lowcore_gmap, NULL)
    local_irq_enable()
    irqs_are_on_in_sie()
    local_irq_disable()


# [New in release:v7.3]
def kvm_s390_enter_exit_sie(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_s390_enter_exit_sie(), arch/s390/kvm/s390/s390.c; sie64a(),
    arch/s390/include/asm/kvm_host_s390.h, v7.3

    Context: IRQs off
    """
    guest_state_enter_irqoff()
    __sie64a(vcpu)


# [Modified in release:v7.3]
def __vcpu_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __vcpu_run(), arch/s390/kvm/s390/s390.c, v7.3

    Omits: protected guests, debugging
    """
    while True:
        vcpu_pre_run(vcpu)

        local_irq_disable()
        rc = 0
        while rc == 0 and xfer_to_guest_mode_work_pending():
            local_irq_enable()
            rc = xfer_to_guest_mode_handle_work(vcpu)
            if rc == 0:
                local_irq_disable()
        if rc:
            break

        __disable_cpu_timer_accounting(vcpu)
        kvm_s390_enter_exit_sie(vcpu)
        __enable_cpu_timer_accounting(vcpu)
        local_irq_enable()

        rc = vcpu_post_run(vcpu)
        if rc:
            break

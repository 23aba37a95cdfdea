"""Who stops every vCPU of a VM for a while, and how a vCPU is stopped.

Mirrors: arch/arm64/kvm/arm.c, arch/arm64/kvm/vgic/vgic-mmio.c, v6.12.117, where ``pause`` is a
counter. Only where a scenario sets irq_bypass.
"""

# The guest writes GICD_ICACTIVER for shared interrupts; irqfds come and go with a device's interrupt.
irq_bypass = False

KVM_REQ_SLEEP = 2


class kvm_vcpu_arch(struct):
    pause: upto[2]


class kvm_arch(struct):
    config_lock: bool


# [New in arch:arm64]
def vcpu_can_run(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: vcpu_can_run(), arch/arm64/kvm/arm.c, v6.12.117; Omits: a vCPU that is powered off"""
    return atomic_read(vcpu.arch.pause) == 0


# [New in arch:arm64]
def kvm_arm_halt_guest(kvm: ptr[kvm]):
    """No vCPU of the VM runs its guest from here to kvm_arm_resume_guest().

    Mirrors: kvm_arm_halt_guest(), arch/arm64/kvm/arm.c, v6.12.117
    """
    for vcpu in each(kvm_vcpu):
        if vcpu.kvm == kvm:
            atomic_inc(vcpu.arch.pause)
    kvm_make_all_cpus_request(kvm, KVM_REQ_SLEEP)


# [New in arch:arm64]
def kvm_arm_resume_guest(kvm: ptr[kvm]):
    """Mirrors: kvm_arm_resume_guest(), arch/arm64/kvm/arm.c, v6.12.117"""
    for vcpu in each(kvm_vcpu):
        if vcpu.kvm == kvm:
            if atomic_dec_and_test(vcpu.arch.pause):
                __kvm_vcpu_wake_up(vcpu)


# [New in arch:arm64]
def kvm_vcpu_sleep(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_sleep(), arch/arm64/kvm/arm.c; rcuwait_wait_event(),
    include/linux/rcuwait.h, v6.12
    """
    wait = kvm_arch_vcpu_get_wait(vcpu)

    prepare_to_rcuwait(wait)
    while True:
        set_current_state(TASK_INTERRUPTIBLE)
        if vcpu_can_run(vcpu):
            break
        if signal_pending(current):
            break
        schedule()
    finish_rcuwait(wait)

    if not vcpu_can_run(vcpu):
        kvm_make_request(KVM_REQ_SLEEP, vcpu)

    smp_rmb()


# [New in arch:arm64]
def vgic_mmio_write_cactive(vcpu: ptr[kvm_vcpu]):
    """The guest writes GICD_ICACTIVER: its VM is stopped while the interrupt's state changes.

    Mirrors: vgic_mmio_write_cactive(), vgic_access_active_prepare(), vgic_access_active_finish(),
    arch/arm64/kvm/vgic/vgic-mmio.c, v6.12
    Context: the vCPU's task, loaded, preemptible
    Omits: what changes, and what vCPUs have of it in their list registers. When a vCPU that is out of
    guest mode has read them back, which differs between releases and where an entry is given up, is
    what HALTED-IS-SYNCED asks.
    """
    with atomic:
        assume(not vcpu.kvm.arch.config_lock)
        vcpu.kvm.arch.config_lock = True
    kvm_arm_halt_guest(vcpu.kvm)
    kvm_arm_resume_guest(vcpu.kvm)
    vcpu.kvm.arch.config_lock = False


# [New in arch:arm64]
def kvm_arch_irq_bypass_stop(kvm: ptr[kvm]):
    """Mirrors: kvm_arch_irq_bypass_stop(), arch/arm64/kvm/arm.c, v6.12"""
    kvm_arm_halt_guest(kvm)


# [New in arch:arm64]
def kvm_arch_irq_bypass_start(kvm: ptr[kvm]):
    """Mirrors: kvm_arch_irq_bypass_start(), arch/arm64/kvm/arm.c, v6.12"""
    kvm_arm_resume_guest(kvm)


# [New in arch:arm64]
@task
def irqfd_thread():
    """Ours: a thread of the VMM that connects an irqfd to a device's interrupt, or takes it away:
    __connect() and __disconnect(), virt/lib/irqbypass.c, v6.12. In between it may wait for ever.
    """
    while True:
        current.in_user_mode = False
        if choose():
            set_current_state(TASK_INTERRUPTIBLE)
            schedule()
            __set_current_state(TASK_RUNNING)
        kvm_arch_irq_bypass_stop(any_vm())
        kvm_arch_irq_bypass_start(any_vm())
        exit_to_user_mode()


# [New in arch:arm64]
def any_vm() -> ptr[kvm]:
    """Ours: the only VM."""
    return NR_VMS

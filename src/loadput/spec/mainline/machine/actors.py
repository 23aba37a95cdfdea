"""Who acts: the threads of a VMM, the idle tasks, the devices. A scenario switches them on."""

# What a scenario sets; the value here is what it has where the scenario is silent.
preempt_model = 2
delayed_dequeue = False
user_runs = True
user_ioctls = True
user_changes_fs = True
guest_halts = True
guest_spins = True
device_irqs = True
timer_irqs = True


@task
def vcpu_thread():
    """A thread of a VMM that owns one vCPU: KVM_RUN, another vCPU ioctl, or its own business."""
    vcpu = current.vcpu
    while True:
        if user_runs and choose():
            enter_from_user_mode()
            kvm_vcpu_ioctl_run(vcpu)
            exit_to_user_mode()
        elif user_ioctls and choose():
            enter_from_user_mode()
            kvm_vcpu_ioctl_get_regs(vcpu)
            exit_to_user_mode()
        else:
            user_mode_work()


@task
def plain_thread():
    """A thread that uses no KVM: runs in user mode, and calls into the kernel now and then."""
    while True:
        enter_from_user_mode()
        exit_to_user_mode()
        user_mode_work()


@task
def idle():
    """The idle task of a CPU; it also stands for the CPU's kernel threads.

    Mirrors: do_idle(), kernel/sched/idle.c, v6.12
    """
    while True:
        schedule()


def enter_from_user_mode():
    """Mirrors: enter_from_user_mode(), kernel/entry/common.c, v6.12"""
    pass


def exit_to_user_mode():
    """What is done on the way back to user mode, and what user mode then finds.

    Mirrors: exit_to_user_mode_prepare(), kernel/entry/common.c, v6.12
    Context: IRQs off from the last check of work on
    """
    local_irq_disable()
    arch_exit_to_user_mode_prepare()
    local_irq_enable()


def arch_exit_to_user_mode_prepare():
    """Each architecture has its own.

    Mirrors: arch_exit_to_user_mode_prepare(), include/linux/entry-common.h, v6.12
    """
    pass


def user_mode_work():
    """What the thread does to its own registers in user mode; each architecture has its own."""
    pass


@irq
@env
def device_interrupt():
    """A device's interrupt for a vCPU arrives at this CPU: post it, and kick.

    Mirrors: irqfd_wakeup() to kvm_set_msi(), virt/kvm/eventfd.c; what an architecture does to
    deliver is kvm_deliver_interrupt(). At most one is on its way at a time.
    """
    with atomic:
        assume(device_irqs)
        vcpu = choose_vcpu()
        assume(not vcpu.irq_pending and not device_busy)
        device_busy = True
        vcpu.irq_pending = True
    kvm_deliver_interrupt(vcpu)
    device_busy = False


device_busy: bool


def choose_vcpu() -> ptr[kvm_vcpu]:
    """Any vCPU."""
    return choose(1, NR_VCPUS)


def kvm_deliver_interrupt(vcpu: ptr[kvm_vcpu]):
    """The vCPU has an interrupt pending: tell it.

    Mirrors: svm_complete_interrupt_delivery() without AVIC, arch/x86/kvm/svm/svm.c, v6.12;
    vgic_queue_irq_unlock(), arch/arm64/kvm/vgic/vgic.c;
    kvm_riscv_vcpu_set_interrupt(), arch/riscv/kvm/vcpu.c
    """
    kvm_make_request(KVM_REQ_EVENT, vcpu)
    kvm_vcpu_kick(vcpu)


@irq
@env
def timer_interrupt():
    """The tick: looks at what an interrupt handler can see, and goes.

    Mirrors: what perf_guest_state() and kvm_get_running_vcpu() users read from interrupts,
    virt/kvm/kvm_main.c, v6.12
    """
    with atomic:
        assume(timer_irqs)
        seen = __this_cpu_read(kvm_running_vcpu)
        observe_from_irq(seen)


def observe_from_irq(seen: ptr[kvm_vcpu]):
    """A place for properties: what an interrupt finds in kvm_running_vcpu."""
    pass

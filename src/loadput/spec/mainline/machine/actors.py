"""Who acts: the threads of a VMM, the idle tasks, the devices. A scenario switches them on."""

# Where a task may lose its CPU: PREEMPT_NONE, PREEMPT_VOLUNTARY or PREEMPT_FULL.
preempt_model: setting[upto[2]] = 2
# A task that blocks may stay on its queue for a while.
delayed_dequeue = False
# The tick comes, and looks at what an interrupt can see.
timer_irqs = True
# The CPUs that devices interrupt, a bit each.
device_irq_cpus: setting[cpu_mask] = 1


class task_struct(struct):
    may_run: bool = does_run
    may_ioctl: bool = does_ioctl
    may_write_fs: bool = does_fs
    may_modify_ldt: bool = does_ldt
    in_user_mode: bool = True


class kvm_vcpu(struct):
    guest_halts: bool = does_halt
    guest_spins: bool = does_spin
    device_irqs: bool = does_irq
    steal_time: bool = does_steal


USER_RUN = 0
USER_IOCTL = 1
USER_WORK = 2


@task
def vcpu_thread():
    """Ours: a VMM's thread that owns one vCPU: KVM_RUN, another vCPU ioctl, or its own business."""
    vcpu = current.vcpu
    while True:
        if current.may_modify_ldt and choose():
            current.in_user_mode = False
            modify_ldt()
            exit_to_user_mode()
            continue
        what = choose(USER_RUN, USER_WORK)
        if what == USER_WORK:
            assume(current.may_write_fs)
            user_mode_work()
        else:
            if what == USER_RUN:
                assume(current.may_run)
                current.in_user_mode = False
                kvm_vcpu_ioctl_run(vcpu)
            else:
                assume(current.may_ioctl)
                current.in_user_mode = False
                kvm_vcpu_ioctl_get_regs(vcpu)
            exit_to_user_mode()


@task
def plain_thread():
    """Ours: a thread that uses no KVM: user mode, and into the kernel and back now and then."""
    while True:
        if current.may_write_fs and choose():
            user_mode_work()
        else:
            exit_to_user_mode()


@task
@idle
def idle():
    """The idle task of a CPU; it also stands for the CPU's kernel threads.

    Mirrors: do_idle(), schedule_idle(), kernel/sched/idle.c, kernel/sched/core.c, v6.12
    Context: preemption off
    """
    preempt_disable()
    while True:
        __schedule(False)


def exit_to_user_mode():
    """A system call ends: what is done on the way back to user mode, and what user mode then finds.

    Mirrors: syscall_exit_to_user_mode(), kernel/entry/common.c, v6.12;
    include/linux/entry-common.h, v7.3
    Omits: that a leaked preempt_count is set right by the schedule() that comes next: here at once
    """
    schedule_debug()
    exit_to_user_mode_loop()
    exit_to_user_mode_prepare()


def exit_to_user_mode_loop():
    """With need_resched the CPU is given away first; a kernel that is preemptible does so at any time.

    Mirrors: exit_to_user_mode_loop(), kernel/entry/common.c, v6.12;
    __exit_to_user_mode_loop(), kernel/entry/common.c, v7.3
    Omits: signals and other work; that with more of it, it loops
    """
    cond_resched()


def exit_to_user_mode_prepare():
    """After an interrupt too.

    Mirrors: exit_to_user_mode_prepare(), include/linux/entry-common.h, v6.12;
    __exit_to_user_mode_prepare(), include/linux/irq-entry-common.h, v7.3
    Context: IRQs off from the last check of work on
    """
    local_irq_disable()
    arch_exit_to_user_mode_prepare()
    current.in_user_mode = True
    local_irq_enable()


def arch_exit_to_user_mode_prepare():
    """Each architecture has its own.

    Mirrors: arch_exit_to_user_mode_prepare(), include/linux/entry-common.h, v6.12
    """
    pass


def kvm_keeps_registers(p: ptr[task_struct]) -> bool:
    """Ours: for properties: KVM has the task's registers in memory of its own from the beginning of
    KVM_RUN to its end, whatever the scheduler does. Each architecture has its own.
    """
    return False


def loads_again_here(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: for properties: KVM puts the vCPU to load it again at once, on this CPU and with preemption
    off, and leaves some of its registers there. Each architecture has its own.
    """
    return False


def user_mode_work():
    """Ours: what user mode does to its own registers; each architecture has its own."""
    pass


def modify_ldt():
    """A system call of x86's; other architectures have none.

    Mirrors: modify_ldt(2), arch/x86/kernel/ldt.c, v6.12
    """
    pass


@irq
@env
def device_interrupt():
    """A device's interrupt for a vCPU arrives at this CPU: post it, ask for it, and kick.

    Mirrors: irqfd_wakeup(), virt/kvm/eventfd.c; then what the architecture does:
    kvm_set_msi(), arch/x86/kvm/irq_comm.c, to svm_complete_interrupt_delivery() without AVIC,
    arch/x86/kvm/svm/svm.c;
    vgic_queue_irq_unlock(), arch/arm64/kvm/vgic/vgic.c; kvm_riscv_vcpu_set_interrupt(),
    arch/riscv/kvm/vcpu.c, v6.12
    Omits: that the pending bit is set a moment before the request
    """
    with atomic:
        assume((device_irq_cpus >> smp_processor_id()) & 1)
        vcpu = choose_vcpu()
        assume(vcpu.device_irqs and not vcpu.irq_pending)
        vcpu.irq_pending = True
        kvm_make_request(KVM_REQ_EVENT, vcpu)
    kvm_vcpu_kick(vcpu)


def choose_vcpu() -> ptr[kvm_vcpu]:
    """Ours: any vCPU."""
    return choose(1, NR_VCPUS)


def is_deliverable(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: an interrupt waits that the guest would take if it ran, wherever the hardware or the
    kernel keeps it. Each architecture has its own.
    """
    return vcpu.irq_pending


@irq
@env
def timer_interrupt():
    """The tick: looks at what an interrupt handler can see, and goes.

    Mirrors: perf_guest_state(), include/linux/perf_event.h; kvm_get_running_vcpu(),
    virt/kvm/kvm_main.c, v6.12: what interrupts read through them
    """
    with atomic:
        assume(timer_irqs)
        seen = __this_cpu_read(kvm_running_vcpu)
        observe_from_irq(seen)


def observe_from_irq(seen: ptr[kvm_vcpu]):
    """Ours: a place for properties: what an interrupt finds in kvm_running_vcpu."""
    pass

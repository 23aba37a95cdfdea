"""CPUs that go offline and come back. Only where a scenario sets cpu_hotplug.

Mirrors: kernel/cpu.c, v6.12. The threads of a CPU's hotplug are its kernel threads, for which its
idle task stands: while they work, nothing else of that CPU does.
"""

# CPUs go offline and come back: 0 none, or BY_IRQ or BY_THREAD.
cpu_hotplug: setting[upto[2]] = 0
# Each CPU, from an interrupt that finds it idle; or the one that cpuhp_thread runs on.
BY_IRQ = 1
BY_THREAD = 2

# A bit of __cpu_online_mask.
cpu_is_online: per_cpu[bool] = 1


@irq
@env
def cpu_hotplug_threads():
    """Somebody takes this CPU offline, and brings it back at some time.

    Mirrors: _cpu_down(), takedown_cpu(), _cpu_up(), cpuhp_thread_fun(), kernel/cpu.c, v6.12
    Context: the CPU is idle: before KVM's part its tasks have gone to other CPUs
    (CPUHP_AP_SCHED_WAIT_EMPTY)
    Omits: interrupts during KVM's part; a task that may run on this CPU alone waits until it is
    back, where the kernel lets it run elsewhere
    """
    with atomic:
        assume(cpu_hotplug == BY_IRQ and current.is_idle and another_cpu_is_online())
    kvm_offline_cpu()
    take_cpu_down()
    kvm_online_cpu()


@task
def cpuhp_thread():
    """The hotplug thread of the one CPU that a scenario lets it run on takes that CPU offline and
    brings it back, with interrupts on during KVM's parts.

    Mirrors: cpuhp_thread_fun(), cpuhp_is_atomic_state(), kernel/cpu.c; CPUHP_AP_KVM_ONLINE,
    include/linux/cpuhotplug.h, v6.12
    Omits: preemption by other kernel threads of the CPU: its other tasks are gone by then
    (CPUHP_AP_SCHED_WAIT_EMPTY)
    """
    current.in_user_mode = False
    while True:
        preempt_disable()
        kvm_offline_cpu()
        local_irq_disable()
        take_cpu_down()
        local_irq_enable()
        kvm_online_cpu()
        preempt_enable()
        schedule()


def take_cpu_down():
    """The CPU is offline, for a while.

    Mirrors: take_cpu_down(), bringup_wait_for_ap_online(), kernel/cpu.c, v6.12
    Context: interrupts off
    """
    with atomic:
        assume(another_cpu_is_online())
        this_cpu_write(cpu_is_online, False)
        interrupts_are_lost()
    smpcfd_dying_cpu()
    with atomic:
        this_cpu_write(cpu_is_online, True)


def interrupts_are_lost():
    """Ours: what waits at the interrupt controller of a CPU that goes offline is not delivered any
    more; each architecture has its own.
    """
    pass


def smpcfd_dying_cpu():
    """Function calls of other CPUs, on an architecture whose calls are modelled.

    Mirrors: smpcfd_dying_cpu(), kernel/smp.c, v6.12
    """
    pass


def another_cpu_is_online() -> bool:
    """Mirrors: _cpu_down() where it refuses the last CPU, kernel/cpu.c, v6.12"""
    for c in each(cpu):
        if c != smp_processor_id() and per_cpu(cpu_is_online, c):
            return True
    return False

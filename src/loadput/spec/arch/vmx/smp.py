"""A function call on another CPU, waited for.

Mirrors: kernel/smp.c, v6.12. The only function that is called this way here is
__loaded_vmcs_clear(). The sender spins with preemption off, so a CPU has at most one on its way.
"""


class call_single_data(struct, per="cpu"):
    dst: cpu = -1
    info: ptr[loaded_vmcs]


csd_stack: per_cpu[call_single_data]


# [New in arch:vmx]
def smp_call_function_single(cpu: cpu, info: ptr[loaded_vmcs]):
    """Run __loaded_vmcs_clear(info) on ``cpu`` and wait until it has.

    Mirrors: smp_call_function_single(), generic_exec_single(), kernel/smp.c, v6.12
    Context: a task; deadlocks with IRQs off
    Omits: its arguments func and wait. CSD_FLAG_LOCK is dst != -1
    """
    this_cpu = get_cpu()
    WARN_ON_ONCE(irqs_disabled())

    if cpu == this_cpu:
        local_irq_save(flags)
        __loaded_vmcs_clear(info)
        local_irq_restore(flags)
    else:
        csd = this_cpu_ptr(addr(csd_stack))
        with atomic:
            if cpu_online(cpu):
                csd.info = info
                csd.dst = cpu
        await_until(smp_load_acquire(csd.dst) == -1)

    put_cpu()


# [New in arch:vmx]
@irq
def sysvec_call_function_single():
    """The IPI: do what another CPU asked for, then let it go on.

    Mirrors: sysvec_call_function_single(), arch/x86/kernel/smp.c;
    __flush_smp_call_function_queue(), kernel/smp.c, v6.12
    """
    with atomic:
        src = choose(0, NR_CPUS - 1)
        csd = per_cpu_ptr(addr(csd_stack), src)
        assume(csd.dst == smp_processor_id())
        info = csd.info
    __loaded_vmcs_clear(info)
    with atomic:
        csd.info = NULL
        smp_store_release(csd.dst, -1)

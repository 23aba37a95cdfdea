"""A function call on another CPU, waited for.

Mirrors: kernel/smp.c, v6.12. The only function that is called this way here is
__loaded_vmcs_clear(). What is asked for stands on the sender's stack: a task has at most one on its
way.
"""


class task_struct(struct):
    csd_stack: embed[call_single_data]


class call_single_data(struct, per="task"):
    dst: cpu = -1
    info: ptr[loaded_vmcs]


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
        with atomic:
            if cpu_online(cpu):
                current.csd_stack.info = info
                current.csd_stack.dst = cpu
        await_until(smp_load_acquire(current.csd_stack.dst) == -1)

    put_cpu()


# [New in arch:vmx]
@irq
def sysvec_call_function_single():
    """The IPI: do what another CPU asked for, then let it go on.

    Mirrors: sysvec_call_function_single(), arch/x86/kernel/smp.c;
    __flush_smp_call_function_queue(), kernel/smp.c, v6.12
    """
    with atomic:
        src = choose_task()
        assume(src.csd_stack.dst == smp_processor_id())
        info = src.csd_stack.info
    __loaded_vmcs_clear(info)
    with atomic:
        src.csd_stack.info = NULL
        smp_store_release(src.csd_stack.dst, -1)

"""A function call on another CPU, waited for.

Mirrors: kernel/smp.c, v7.3
"""


# [Modified in release:v7.3]
def smp_call_function_single(cpu: cpu, info: ptr[loaded_vmcs]):
    """Run __loaded_vmcs_clear(info) on ``cpu`` and wait until it has, with preemption on again.

    Mirrors: smp_call_function_single(), __smp_call_function_single(), generic_exec_single(),
    kernel/smp.c, v7.3
    Context: a task; deadlocks with IRQs off
    Omits: its arguments func, mask and wait. CSD_FLAG_LOCK is dst != -1
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

    put_cpu()
    await_until(smp_load_acquire(current.csd_stack.dst) == -1)

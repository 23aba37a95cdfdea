"""Switching tasks, and what user mode does to its own registers.

Mirrors: arch/arm64/kernel/process.c, v6.12
"""


# [New in arch:arm64]
def tls_preserve_current_state():
    """Mirrors: tls_preserve_current_state(), arch/arm64/kernel/process.c, v6.12; Omits: TPIDR2"""
    current.thread.tp_value = __this_cpu_read(hw_tpidr)


# [New in arch:arm64]
def tls_thread_switch(next: ptr[task_struct]):
    """Mirrors: tls_thread_switch(), arch/arm64/kernel/process.c, v6.12; Omits: compat, TPIDR2

    The copy in thread.uw.tp_value means nothing while the task runs; it is forgotten here.
    """
    tls_preserve_current_state()
    __this_cpu_write(hw_tpidr, next.thread.tp_value)
    next.thread.tp_value = 0


# [Modified in arch:arm64]
def __switch_to(prev: ptr[task_struct], next: ptr[task_struct]):
    """Save and load what the hardware holds of a task.

    Mirrors: __switch_to(), arch/arm64/kernel/process.c, v6.12
    Context: rq lock held, IRQs off
    Omits: breakpoints, CONTEXTIDR, SSBS, CNTKCTL, pointer authentication, POR, MTE, SCTLR
    """
    fpsimd_thread_switch(next)
    tls_thread_switch(next)


# [Modified in arch:arm64]
def user_mode_work():
    """Ours: user mode writes a new TPIDR_EL0: MSR needs no system call."""
    with atomic:
        fresh(this_cpu(hw_tpidr), current)
        if host_sve:
            do_sve_acc()

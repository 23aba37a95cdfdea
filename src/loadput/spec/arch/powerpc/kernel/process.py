"""Switching tasks, and what user mode does to its own registers.

Mirrors: arch/powerpc/kernel/process.c, v6.12
"""


# [New in arch:powerpc]
def __giveup_fpu(tsk: ptr[task_struct]):
    """Mirrors: __giveup_fpu(), arch/powerpc/kernel/process.c, v6.12

    What stays in the registers is not looked at again: it is forgotten.
    """
    tsk.thread.fp_state = this_cpu_read(hw_fp)
    this_cpu_write(hw_fp, 0)
    tsk.thread.msr_fp = False


# [New in arch:powerpc]
def kvmppc_save_user_regs():
    """Mirrors: kvmppc_save_user_regs(), arch/powerpc/kernel/process.c, v6.12; Omits: VEC, TM;
    preemption between the test and the save"""
    with atomic:
        if current.thread.msr_fp:
            __giveup_fpu(current)


# [Modified in arch:powerpc]
def __switch_to(prev: ptr[task_struct], next: ptr[task_struct]):
    """Save what the hardware holds of a task; next's FP state is loaded when it uses it, or here.

    Mirrors: __switch_to(), giveup_all(), arch/powerpc/kernel/process.c, v6.12
    Context: rq lock held, IRQs off
    Omits: VEC, VSX, TM, SPRs
    """
    if prev.thread.msr_fp:
        __giveup_fpu(prev)
    restore_math(next)


# [Modified in arch:powerpc]
def user_mode_work():
    """Ours: user mode writes an FP register; where they do not hold its state it is loaded, by a trap or
    on the way to user mode.

    Mirrors: restore_math(), do_restore_fp(), arch/powerpc/kernel/process.c, v6.12
    """
    with atomic:
        if not current.thread.msr_fp:
            this_cpu_write(hw_fp, current.thread.fp_state)
            current.thread.msr_fp = True
        fresh(this_cpu(hw_fp), current)


# [New in arch:powerpc]
def restore_math(tsk: ptr[task_struct]):
    """A task that used FP not long ago has its state loaded before it asks for it.

    Mirrors: restore_math(), arch/powerpc/kernel/process.c, v6.12
    Omits: load_fp, the counter that says so; it is free here, and 0 unless a scenario sets reloads_fp
    """
    if reloads_fp and not tsk.is_idle and not tsk.thread.msr_fp and choose():
        this_cpu_write(hw_fp, tsk.thread.fp_state)
        tsk.thread.msr_fp = True

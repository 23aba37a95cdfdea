"""Switching tasks, and what user mode does to its own registers.

Mirrors: arch/mips/include/asm/switch_to.h, arch/mips/include/asm/fpu.h, v6.12
"""


# [New in arch:mips]
def own_fpu_inatomic():
    """Mirrors: own_fpu_inatomic(), __own_fpu(), arch/mips/include/asm/fpu.h, v6.12"""
    if not current.thread.used_fpu:
        this_cpu_write(hw_cu1, True)
        current.thread.used_fpu = True
        this_cpu_write(hw_fp, current.thread.fpu)
        this_cpu_write(hw_guest_fp, 0)


# [New in arch:mips]
def lose_fpu_inatomic(tsk: ptr[task_struct]):
    """Mirrors: lose_fpu_inatomic(), arch/mips/include/asm/fpu.h, v6.12

    Omits: MSA. What stays in the registers is not looked at again: it is forgotten.
    """
    if tsk.thread.used_fpu:
        tsk.thread.fpu = this_cpu_read(hw_fp)
        this_cpu_write(hw_fp, 0)
        this_cpu_write(hw_cu1, False)
    else:
        WARN_ON(this_cpu(hw_cu1))
    tsk.thread.used_fpu = False


# [New in arch:mips]
def lose_fpu():
    """Mirrors: lose_fpu(), arch/mips/include/asm/fpu.h, v6.12; preemption off throughout, and no
    interrupt uses FP here: one step"""
    with atomic:
        lose_fpu_inatomic(current)


# [Modified in arch:mips]
def __switch_to(prev: ptr[task_struct], next: ptr[task_struct]):
    """Save what the hardware holds of a task; next's FP state is loaded when it uses it.

    Mirrors: switch_to(), arch/mips/include/asm/switch_to.h, v6.12
    Context: rq lock held, IRQs off
    Omits: DSP, COP2, watchpoints, UserLocal
    """
    lose_fpu_inatomic(prev)


# [Modified in arch:mips]
def user_mode_work():
    """Ours: user mode writes an FP register; the first use since it lost them traps.

    Mirrors: do_cpu() for coprocessor 1, enable_restore_fp_context(), arch/mips/kernel/traps.c, v6.12
    """
    with atomic:
        own_fpu_inatomic()
        fresh(this_cpu(hw_fp), current)

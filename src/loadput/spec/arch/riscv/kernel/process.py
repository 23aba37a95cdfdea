"""Switching tasks, and what user mode does to its own registers.

Mirrors: arch/riscv/include/asm/switch_to.h, v6.12
"""


# [New in arch:riscv]
def fstate_save(task: ptr[task_struct]):
    """Mirrors: fstate_save(), arch/riscv/include/asm/switch_to.h, v6.12"""
    if task.thread.fs_dirty:
        task.thread.fstate = __this_cpu_read(hw_fregs)
        task.thread.fs_dirty = False


# [New in arch:riscv]
def fstate_restore(task: ptr[task_struct]):
    """Mirrors: fstate_restore(), arch/riscv/include/asm/switch_to.h, v6.12

    Omits: a kernel thread's FS is off and leaves the registers as they are: nobody's here.
    """
    if task.is_idle:
        __this_cpu_write(hw_fregs, 0)
    else:
        __this_cpu_write(hw_fregs, task.thread.fstate)
        __this_cpu_write(hw_guest_fregs, 0)


# [Modified in arch:riscv]
def __switch_to(prev: ptr[task_struct], next: ptr[task_struct]):
    """Save and load what the hardware holds of a task.

    Mirrors: switch_to(), __switch_to_fpu(), arch/riscv/include/asm/switch_to.h, v6.12
    Context: rq lock held, IRQs off
    Omits: vector, envcfg, instruction cache
    """
    fstate_save(prev)
    fstate_restore(next)


# [Modified in arch:riscv]
def user_mode_work():
    """Ours: user mode writes an FP register."""
    with atomic:
        fresh(this_cpu(hw_fregs), current)
        current.thread.fs_dirty = True

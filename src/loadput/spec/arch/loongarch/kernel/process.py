"""Switching tasks, and what user mode does to its own registers.

Mirrors: arch/loongarch/include/asm/switch_to.h, arch/loongarch/include/asm/fpu.h, v6.12
Omits: the kernel's own use of FP (kernel_fpu_begin(), arch/loongarch/kernel/kfpu.c), which saves what
it finds
"""


# [New in arch:loongarch]
def own_fpu_inatomic():
    """Mirrors: own_fpu_inatomic(), __own_fpu(), arch/loongarch/include/asm/fpu.h, v6.12"""
    if not current.thread.used_fpu:
        this_cpu_write(hw_fpen, True)
        current.thread.used_fpu = True
        this_cpu_write(hw_fp, current.thread.fpu)
        this_cpu_write(hw_guest_fp, 0)


# [New in arch:loongarch]
def lose_fpu_inatomic(tsk: ptr[task_struct]):
    """Mirrors: lose_fpu_inatomic(), arch/loongarch/include/asm/fpu.h, v6.12

    Omits: LSX, LASX. What stays in the registers is not looked at again: it is forgotten.
    """
    if tsk.thread.used_fpu:
        tsk.thread.fpu = this_cpu_read(hw_fp)
        this_cpu_write(hw_fp, 0)
        this_cpu_write(hw_fpen, False)
        tsk.thread.used_fpu = False


# [New in arch:loongarch]
def lose_fpu():
    """Mirrors: lose_fpu(), arch/loongarch/include/asm/fpu.h, v6.12; preemption off throughout, and
    no interrupt uses FP here: one step"""
    with atomic:
        lose_fpu_inatomic(current)


# [Modified in arch:loongarch]
def __switch_to(prev: ptr[task_struct], next: ptr[task_struct]):
    """Save what the hardware holds of a task; next's FP state is loaded when it uses it.

    Mirrors: switch_to(), arch/loongarch/include/asm/switch_to.h; sched_info_arrive() of next,
    kernel/sched/stats.h, v6.12
    Context: rq lock held, IRQs off
    Omits: LBT, breakpoints
    """
    lose_fpu_inatomic(prev)
    if next.vcpu != NULL and next.vcpu.steal_time:
        fresh(next.sched_info_run_delay, next)


# [Modified in arch:loongarch]
def user_mode_work():
    """Ours: user mode writes an FP register; the first use since it lost them traps.

    Mirrors: do_fpu(), arch/loongarch/kernel/traps.c, v6.12
    """
    with atomic:
        own_fpu_inatomic()
        fresh(this_cpu(hw_fp), current)

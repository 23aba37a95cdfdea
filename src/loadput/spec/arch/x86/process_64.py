"""What x86 hardware holds of a task, and how a context switch saves and loads it.

Mirrors: arch/x86/kernel/process_64.c, v6.12. The FS base stands for every register that belongs to
the task and that user mode may change: FS, GS and their bases.
"""

hw_fs: per_cpu[token[fs, task]]


class thread_struct(struct):
    fsbase: token[fs, task] = own


# [Modified in arch:x86]
def __switch_to(prev: ptr[task_struct], next: ptr[task_struct]):
    """Save what prev has in the registers, load what next had.

    Mirrors: __switch_to(), arch/x86/kernel/process_64.c, v6.12
    Context: IRQs off, rq lock held; one step with the change of the stack, and with
    switch_mm_irqs_off(), which context_switch() calls just before
    Omits: FPU, TLS, DS and ES, PKRU, the task stack, resctrl
    """
    switch_mm_irqs_off(next)
    save_fsgs(prev)
    x86_fsgsbase_load(prev, next)


# [New in arch:x86]
def save_fsgs(task: ptr[task_struct]):
    """Mirrors: save_fsgs(), arch/x86/kernel/process_64.c, v6.12, with FSGSBASE"""
    task.thread.fsbase = this_cpu(hw_fs)


# [New in arch:x86]
def x86_fsgsbase_load(prev: ptr[task_struct], next: ptr[task_struct]):
    """Mirrors: x86_fsgsbase_load(), arch/x86/kernel/process_64.c, v6.12, with FSGSBASE

    The copy in thread.fsbase means nothing while the task runs; it is forgotten here.
    """
    this_cpu_write(hw_fs, next.thread.fsbase)
    next.thread.fsbase = NULL


# [Modified in arch:x86]
def user_mode_work():
    """User mode may give its FS base a new value at any time (WRFSBASE).

    Mirrors: nothing in the kernel: the instruction does not enter it
    """
    write_user_base()


# [New in arch:x86]
def write_user_base():
    """Ours: the instruction WRFSBASE in user mode."""
    with atomic:
        fresh(this_cpu(hw_fs), current)


# [Modified in arch:x86]
def arch_exit_to_user_mode_prepare():
    """The user-return notifier of this CPU fires.

    Mirrors: arch_exit_to_user_mode_prepare(), arch_exit_work(),
    arch/x86/include/asm/entry-common.h; fire_user_return_notifiers(),
    kernel/user-return-notifier.c, v6.12
    Context: IRQs off, last thing before user mode
    Omits: TIF_USER_RETURN_NOTIFY, which follows the CPU from task to task at each switch
    (propagate_user_return_notify()): the CPU's own list is asked. FPU, I/O bitmap, FRED
    """
    msrs = this_cpu_ptr(addr(user_return_msrs))
    if msrs.registered:
        kvm_on_user_return(msrs)

    ibpb_before_user()

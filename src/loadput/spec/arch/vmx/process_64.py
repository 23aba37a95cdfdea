"""KERNEL_GS_BASE: with the kernel running, the GS base of the task's user mode.

Mirrors: arch/x86/kernel/process_64.c, v6.12. VMX needs it apart from the FS base: VM-exit loads FS
and GS from the VMCS, but KVM itself switches KERNEL_GS_BASE, at put.
"""

hw_kernel_gs_base: per_cpu[token[kgs, task]]


class thread_struct(struct):
    gsbase: token[kgs, task] = own


# [Modified in arch:vmx]
def save_fsgs(task: ptr[task_struct]):
    """Mirrors: save_fsgs(), arch/x86/kernel/process_64.c, v6.12, with FSGSBASE"""
    task.thread.fsbase = this_cpu(hw_fs)
    task.thread.gsbase = this_cpu(hw_kernel_gs_base)


# [Modified in arch:vmx]
def x86_fsgsbase_load(prev: ptr[task_struct], next: ptr[task_struct]):
    """Mirrors: x86_fsgsbase_load(), arch/x86/kernel/process_64.c, v6.12, with FSGSBASE

    The copies in thread_struct mean nothing while the task runs; they are forgotten here.
    """
    this_cpu_write(hw_fs, next.thread.fsbase)
    next.thread.fsbase = NULL
    this_cpu_write(hw_kernel_gs_base, next.thread.gsbase)
    next.thread.gsbase = NULL


# [Modified in arch:vmx]
def write_user_base():
    """Ours: the instructions WRFSBASE and WRGSBASE in user mode, as one.

    At the next entry to the kernel SWAPGS makes the GS base the KERNEL_GS_BASE.
    """
    with atomic:
        fresh(this_cpu(hw_fs), current)
        fresh(this_cpu(hw_kernel_gs_base), current)

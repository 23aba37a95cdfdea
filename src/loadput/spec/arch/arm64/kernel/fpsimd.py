"""Whose FP/SIMD state is in the registers.

Mirrors: arch/arm64/kernel/fpsimd.c, v6.12
Omits: SVE but for who may use it; SME, FPMR; kernel-mode NEON; that a task which finds its own state still in the
registers of the CPU (fpsimd_last_state, thread.fpsimd_cpu) need not load it: here it always does.
"""

# fpsimd_last_state.st: the vCPU whose state is bound to this CPU; NULL for a task's, or nobody's.
fpsimd_last_state: per_cpu[ptr[kvm_vcpu]]


# [New in arch:arm64]
def fpsimd_save_user_state():
    """Save the state that is bound to this CPU, if the registers still hold it.

    Mirrors: fpsimd_save_user_state(), arch/arm64/kernel/fpsimd.c, v6.12
    """
    if current.thread_info.foreign_fpstate:
        return

    vcpu = __this_cpu_read(fpsimd_last_state)
    if vcpu:
        vcpu.arch.ctxt.fp_regs = __this_cpu_read(hw_guest_fp)
    else:
        current.thread.fpsimd_state = __this_cpu_read(hw_fp)


# [New in arch:arm64]
def fpsimd_flush_cpu_state():
    """The registers are nobody's from here on.

    Mirrors: fpsimd_flush_cpu_state(), arch/arm64/kernel/fpsimd.c, v6.12
    """
    __this_cpu_write(fpsimd_last_state, NULL)
    __this_cpu_write(hw_fp, 0)
    __this_cpu_write(hw_guest_fp, 0)
    current.thread_info.foreign_fpstate = True


# [New in arch:arm64]
def fpsimd_save_and_flush_cpu_state():
    """Save and invalidate; interrupts are off throughout, so one step.

    Mirrors: fpsimd_save_and_flush_cpu_state(), arch/arm64/kernel/fpsimd.c, v6.12
    """
    with atomic:
        fpsimd_save_user_state()
        fpsimd_flush_cpu_state()


# [New in arch:arm64]
def fpsimd_thread_switch(next: ptr[task_struct]):
    """Mirrors: fpsimd_thread_switch(), arch/arm64/kernel/fpsimd.c, v6.12

    The kernel sets or clears the flag of ``next``; here it is set when it goes: it always loads its own.
    """
    fpsimd_save_user_state()
    __this_cpu_write(hw_fp, 0)
    current.thread_info.foreign_fpstate = True


# [New in arch:arm64]
def fpsimd_restore_current_state():
    """Load the task's own state before it returns to user mode.

    Mirrors: fpsimd_restore_current_state(), task_fpsimd_load(), fpsimd_bind_task_to_cpu(),
    arch/arm64/kernel/fpsimd.c, v6.12
    """
    if current.thread_info.foreign_fpstate:
        current.thread_info.foreign_fpstate = False
        __this_cpu_write(hw_fp, current.thread.fpsimd_state)
        __this_cpu_write(hw_guest_fp, 0)
        __this_cpu_write(fpsimd_last_state, NULL)
        if host_sve:
            __this_cpu_write(hw_zen_el0, current.thread_info.sve)

"""The way back to user mode.

Mirrors: arch/arm64/kernel/entry-common.c, v6.12
"""


# [Modified in arch:arm64]
def arch_exit_to_user_mode_prepare():
    """The last pass over the task's work flags: its FP state is loaded. User mode changes it at once:
    what memory has of it is old, so nobody's.

    Mirrors: exit_to_user_mode_prepare(), do_notify_resume(), arch/arm64/kernel/entry-common.c,
    v6.12; arch_exit_to_user_mode_work(), arch/arm64/include/asm/entry-common.h, v7.3
    Context: IRQs off when the flags are found clear
    """
    with atomic:
        fpsimd_restore_current_state()
        current.thread.fpsimd_state = 0

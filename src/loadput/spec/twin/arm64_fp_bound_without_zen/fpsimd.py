# [Modified in twin:arm64_fp_bound_without_zen]
def fpsimd_restore_current_state():
    """CPACR_EL1 is not touched."""
    if current.thread_info.foreign_fpstate:
        current.thread_info.foreign_fpstate = False
        __this_cpu_write(hw_fp, current.thread.fpsimd_state)
        __this_cpu_write(hw_guest_fp, 0)
        __this_cpu_write(fpsimd_last_state, NULL)

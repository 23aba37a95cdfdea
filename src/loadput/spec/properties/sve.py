"""Who may use SVE in user mode: arm64."""


@property_(
    source="arch/arm64/kernel/fpsimd.c fpsimd_bind_task_to_cpu(), v6.12: TIF_SVE and CPACR_EL1",
    twin="arm64-sve-flag-sticky",
    where="host_sve",
)
@at_exit(arch_exit_to_user_mode_prepare)
def HOST_SVE_AT_USER() -> bool:
    """A task that returns to user mode can use SVE without a trap exactly if it has done so before,
    whoever used the CPU since.
    """
    return __this_cpu_read(hw_zen_el0) == current.thread_info.sve

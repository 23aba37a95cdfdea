# [Modified in twin:powerpc_run_keeps_user_fp]
def kvmppc_save_user_regs():
    """As kvmppc_save_user_regs(), arch/powerpc/kernel/process.c, without giving FP up."""
    with atomic:
        this_cpu_write(hw_fp, 0)

"""The kernel's own use of FP.

Mirrors: arch/loongarch/kernel/kfpu.c, v7.3
"""

# An interrupt's handler uses FP. None does: docs/findings/loongarch-kernel-fpu.md.
kernel_fpu = False


# [New in release:v7.3]
@irq
@env
def interrupt_uses_fpu():
    """What EUEN lets through is saved as the task's own, and restored from there; of what is not in the
    registers there is nothing to save.

    Mirrors: kernel_fpu_begin(), kernel_fpu_end(), arch/loongarch/kernel/kfpu.c, v7.3
    Omits: in_kernel_fpu; the task's own use of it in the kernel
    """
    with atomic:
        assume(kernel_fpu and this_cpu(hw_fpen))
        current.thread.fpu = this_cpu_read(hw_fp)

"""The mm that a CPU has loaded: as in v6.12, in other files.

Mirrors: arch/x86/mm/tlb.c, arch/x86/include/asm/tlbflush.h, v7.3
"""


# [Modified in release:v7.3]
def switch_mm_irqs_off(next: ptr[task_struct]):
    """The CPU goes over to next's mm. A kernel thread borrows the one that is loaded, and between
    threads of one mm LDTR stays as it is.

    Mirrors: switch_mm_irqs_off(), arch/x86/mm/tlb.c; enter_lazy_tlb(),
    arch/x86/include/asm/tlbflush.h, v7.3
    Omits: all but the LDT. LDTR is asked for what prev's mm has: where the one is NULL and next has
    no LDT, there is nothing to load
    """
    if next.is_idle:
        return
    mm = task_mm(next)
    if this_cpu(hw_ldtr) or mm_has_ldt(mm):
        if mm != this_cpu(loaded_mm):
            switch_ldt(mm)
    this_cpu_write(loaded_mm, mm)

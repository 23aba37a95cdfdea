"""The mm that a CPU has loaded: as in v6.12, in other files.

Mirrors: arch/x86/mm/tlb.c, arch/x86/include/asm/tlbflush.h, v7.3
"""


# [Modified in release:v7.3]
def switch_mm_irqs_off(next: ptr[task_struct]):
    """The CPU goes over to next's mm. A kernel thread borrows the one that is loaded, and between
    threads of one mm LDTR stays as it is.

    Mirrors: switch_mm_irqs_off(), arch/x86/mm/tlb.c; enter_lazy_tlb(),
    arch/x86/include/asm/tlbflush.h, v7.3
    Omits: all but the LDT. Whether there is one is asked here already: where no mm ever has an LDT,
    what is loaded is then no state
    """
    if next.is_idle:
        return
    prev = this_cpu(loaded_mm)
    mm = task_mm(next)
    this_cpu_write(loaded_mm, mm)
    if either_has_ldt(prev, mm) and mm != prev:
        switch_ldt(prev, mm)

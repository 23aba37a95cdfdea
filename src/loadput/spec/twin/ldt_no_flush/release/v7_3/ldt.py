"""arch/x86/kernel/ldt.c without flush_ldt()."""


# [Modified in twin:ldt_no_flush]
def install_ldt(mm: ptr[mm_struct]):
    """As install_ldt() of v7.3, without on_each_cpu_mask()."""
    with atomic:
        assume(not mm.context.lock)
        mm.context.lock = True

    publish_ldt(mm)

    mm.context.lock = False

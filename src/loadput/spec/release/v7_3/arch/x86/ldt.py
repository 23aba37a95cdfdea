"""The local descriptor table.

Mirrors: arch/x86/kernel/ldt.c, kernel/smp.c, v7.3
"""


# [Modified in release:v7.3]
def install_ldt(mm: ptr[mm_struct]):
    """Give the mm a new LDT, and return when every CPU that has the mm loaded has it in LDTR.

    Mirrors: install_ldt(), arch/x86/kernel/ldt.c; on_each_cpu_mask(), include/linux/smp.h;
    on_each_cpu_cond_mask(), smp_call_function_many_cond(), kernel/smp.c, v7.3
    Context: IRQs on; the sender waits with preemption on, by a mask of its own
    Omits: that mm_cpumask() may have more CPUs, on which flush_ldt() does nothing; that a sender
    on this CPU meanwhile waits for this one's requests (csd_lock())
    """
    with atomic:
        assume(not mm.context.lock)
        mm.context.lock = True

    publish_ldt(mm)

    me = get_cpu()
    with atomic:
        for c in each(cpu):
            if c != me and per_cpu(loaded_mm, c) == mm:
                mm.context.flush[c] = True
    local_irq_save(flags)
    flush_ldt(mm)
    local_irq_restore(flags)
    put_cpu()
    for c in each(cpu):
        await_until(not mm.context.flush[c])

    mm.context.lock = False

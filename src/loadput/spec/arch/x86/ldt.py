"""The LDT: it belongs to the mm, and every CPU that has the mm loaded holds it in its LDTR.

Mirrors: arch/x86/kernel/ldt.c, v6.12; what switch_mm_irqs_off(), arch/x86/mm/tlb.c, does about it;
the part of kernel/smp.c that calls flush_ldt(). A VM has one mm, that of its VMM. At first no mm
has an LDT; unless a thread does ``ldt`` nothing here ever changes.
"""


class mm_context_t(struct, per="vm"):
    ldt: token[ldt, vm]
    lock: bool
    # On its way to that CPU: an IPI to call flush_ldt() for this mm.
    flush: array[bool, cpu]


class mm_struct(struct, per="vm"):
    context: embed[mm_context_t]


# LDTR with its hidden part, which the CPU goes by: not what the GDT's entry says meanwhile.
hw_ldtr: per_cpu[copy[token[ldt, vm]]]
# GDT_ENTRY_LDT of the CPU's GDT: what LLDT of a selector that is not 0 loads.
gdt_entry_ldt: per_cpu[copy[token[ldt, vm]]]
loaded_mm: per_cpu[ptr[mm_struct]]


# [New in arch:x86]
def task_mm(p: ptr[task_struct]) -> ptr[mm_struct]:
    """Ours: the mm of the VMM that has the task's vCPU; NULL for another process or none."""
    if p.vcpu == NULL:
        return NULL
    return container_of(p.vcpu.kvm, mm_struct, kvm)


# [New in arch:x86]
def load_mm_ldt(mm: ptr[mm_struct]):
    """Mirrors: load_mm_ldt(), arch/x86/kernel/ldt.c; native_set_ldt(), clear_LDT(),
    arch/x86/include/asm/desc.h, v6.12

    Context: IRQs off; Omits: the alias with PTI
    """
    ldt = READ_ONCE(mm.context.ldt)
    if ldt:
        this_cpu_write(gdt_entry_ldt, ldt)
    this_cpu_write(hw_ldtr, ldt)


# [New in arch:x86]
def switch_ldt(prev: ptr[mm_struct], next: ptr[mm_struct]):
    """It asks what the two mms have, not what LDTR has.

    Mirrors: switch_ldt(), arch/x86/kernel/ldt.c, v6.12
    """
    if mm_has_ldt(prev) or mm_has_ldt(next):
        if next:
            load_mm_ldt(next)
        else:
            this_cpu_write(hw_ldtr, NULL)


# [New in arch:x86]
def switch_mm_irqs_off(next: ptr[task_struct]):
    """The CPU goes over to next's mm. A kernel thread borrows the one that is loaded, and between
    threads of one mm LDTR stays as it is.

    Mirrors: switch_mm_irqs_off(), enter_lazy_tlb(), arch/x86/mm/tlb.c, v6.12
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


# [New in arch:x86]
def mm_has_ldt(mm: ptr[mm_struct]) -> bool:
    """Ours: as switch_ldt() asks; other processes, and those who have no mm, have none."""
    if mm:
        return mm.context.ldt != NULL
    return False


# [New in arch:x86]
def either_has_ldt(prev: ptr[mm_struct], next: ptr[mm_struct]) -> bool:
    """Ours: whether switch_ldt() has something to do."""
    for mm in each(mm_struct):
        if mm.context.ldt and (mm == prev or mm == next):
            return True
    return False


# [New in arch:x86]
def flush_ldt(mm: ptr[mm_struct]):
    """Mirrors: flush_ldt(), arch/x86/kernel/ldt.c, v6.12

    Context: IRQs off
    Omits: DS and ES
    """
    if this_cpu_read(loaded_mm) != mm:
        return

    load_mm_ldt(mm)


# [New in arch:x86]
def publish_ldt(mm: ptr[mm_struct]):
    """Ours: the store in install_ldt() that every load_mm_ldt() sees from here on."""
    with atomic:
        fresh(mm.context.ldt, mm)


# [New in arch:x86]
def install_ldt(mm: ptr[mm_struct]):
    """Give the mm a new LDT, and return when every CPU that has the mm loaded has it in LDTR.

    Mirrors: install_ldt(), arch/x86/kernel/ldt.c; on_each_cpu_mask(), include/linux/smp.h;
    smp_call_function_many_cond(), kernel/smp.c, v6.12
    Context: IRQs on; the sender waits with preemption off
    Omits: that mm_cpumask() may have more CPUs, on which flush_ldt() does nothing
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
    for c in each(cpu):
        await_until(not mm.context.flush[c])
    put_cpu()

    mm.context.lock = False


# [New in arch:x86]
@irq
def sysvec_call_function():
    """The IPI of install_ldt(): load the new LDT, then let the sender go on.

    Mirrors: sysvec_call_function(), arch/x86/kernel/smp.c; __flush_smp_call_function_queue(),
    kernel/smp.c, v6.12
    """
    with atomic:
        mm = choose(1, NR_VMS)
        context = mm_context(mm)
        assume(context.flush[smp_processor_id()])
    flush_ldt(mm)
    with atomic:
        context.flush[smp_processor_id()] = False


# [New in arch:x86]
def mm_context(mm: ptr[mm_struct]) -> ptr[mm_context_t]:
    """Ours: &mm->context of an mm by its number."""
    return addr(mm.context)


# [Modified in arch:x86]
def modify_ldt():
    """Mirrors: modify_ldt(2), write_ldt(), arch/x86/kernel/ldt.c, v6.12

    Omits: what is in the LDT; freeing the old one, which no CPU may use from here on
    """
    mm = task_mm(current)
    if mm:
        install_ldt(mm)

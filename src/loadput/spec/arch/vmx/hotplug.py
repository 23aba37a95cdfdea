"""The VMCSs that a CPU holds, and what becomes of them when it goes offline.

Mirrors: arch/x86/kvm/vmx/vmx.c, kernel/smp.c, v6.12. The lists are kept only where a scenario sets
cpu_hotplug: nothing else reads them.
"""


class loaded_vmcs(struct):
    # The CPU whose list, loaded_vmcss_on_cpu in C, the VMCS is on; the one after it there.
    loaded_vmcss_on_cpu_link: cpu = -1
    loaded_vmcss_on_cpu_next: ptr[loaded_vmcs]


loaded_vmcss_on_cpu: per_cpu[ptr[loaded_vmcs]]


# [New in arch:vmx]
def add_loaded_vmcs(loaded_vmcs: ptr[loaded_vmcs], cpu: cpu):
    """Ours: list_add() to the CPU's loaded_vmcss_on_cpu: as its first."""
    if cpu_hotplug:
        list_add(loaded_vmcs.loaded_vmcss_on_cpu_link)
        with atomic:
            loaded_vmcs.loaded_vmcss_on_cpu_next = per_cpu(loaded_vmcss_on_cpu, cpu)
            WRITE_ONCE(per_cpu(loaded_vmcss_on_cpu, cpu), loaded_vmcs)
            loaded_vmcs.loaded_vmcss_on_cpu_link = cpu


# [New in arch:vmx]
def del_loaded_vmcs(loaded_vmcs: ptr[loaded_vmcs], cpu: cpu):
    """Ours: list_del() from the CPU's loaded_vmcss_on_cpu: from whichever list the node is on."""
    if cpu_hotplug:
        list_del(loaded_vmcs.loaded_vmcss_on_cpu_link, cpu)
        with atomic:
            unlink_loaded_vmcs(loaded_vmcs, loaded_vmcs.loaded_vmcss_on_cpu_next)
            loaded_vmcs.loaded_vmcss_on_cpu_next = NULL
            loaded_vmcs.loaded_vmcss_on_cpu_link = -1


# [New in arch:vmx]
def unlink_loaded_vmcs(loaded_vmcs: ptr[loaded_vmcs], next: ptr[loaded_vmcs]):
    """Ours: whatever points to the VMCS on a list points to the next one instead."""
    for c in each(cpu):
        if per_cpu(loaded_vmcss_on_cpu, c) == loaded_vmcs:
            WRITE_ONCE(per_cpu(loaded_vmcss_on_cpu, c), next)
    for v in each(loaded_vmcs):
        if v.loaded_vmcss_on_cpu_next == loaded_vmcs:
            v.loaded_vmcss_on_cpu_next = next


# [New in arch:vmx]
def vmclear_local_loaded_vmcss():
    """The walk has read the next node before it clears the one that it is at; where that next one is
    no longer on the list, the kernel goes on through memory that is none of the list's. The WARN is ours.

    Mirrors: vmclear_local_loaded_vmcss(), arch/x86/kvm/vmx/vmx.c; list_for_each_entry_safe(),
    include/linux/list.h, v6.12
    """
    cpu = raw_smp_processor_id()

    v = READ_ONCE(per_cpu(loaded_vmcss_on_cpu, cpu))
    while v:
        with atomic:
            WARN_ON(v.loaded_vmcss_on_cpu_link != cpu)
            n = v.loaded_vmcss_on_cpu_next
        __loaded_vmcs_clear(v)
        v = n


# [Modified in arch:vmx]
def kvm_x86_disable_virtualization_cpu():
    """Mirrors: vmx_disable_virtualization_cpu(), arch/x86/kvm/vmx/vmx.c, v6.12; Omits: VMXOFF, PT"""
    vmclear_local_loaded_vmcss()


# [Modified in arch:vmx]
def smpcfd_dying_cpu():
    """What other CPUs asked for before this one was offline is done now.

    Mirrors: smpcfd_dying_cpu(), __flush_smp_call_function_queue(), kernel/smp.c, v6.12
    """
    for t in each(task_struct):
        if t.csd_stack.dst == smp_processor_id():
            __loaded_vmcs_clear(t.csd_stack.info)
            with atomic:
                t.csd_stack.info = NULL
                smp_store_release(t.csd_stack.dst, -1)

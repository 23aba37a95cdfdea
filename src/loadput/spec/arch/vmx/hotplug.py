"""The VMCSs that a CPU holds, and what becomes of them when it goes offline.

Mirrors: arch/x86/kvm/vmx/vmx.c, kernel/smp.c, v6.12. The lists are kept only where a scenario sets
cpu_hotplug: nothing else reads them.
"""


class loaded_vmcs(struct):
    # The CPU whose list, loaded_vmcss_on_cpu in C, the VMCS is on.
    loaded_vmcss_on_cpu_link: cpu = -1


# [New in arch:vmx]
def add_loaded_vmcs(loaded_vmcs: ptr[loaded_vmcs], cpu: cpu):
    """Ours: list_add() to the CPU's loaded_vmcss_on_cpu."""
    if cpu_hotplug:
        list_add(loaded_vmcs.loaded_vmcss_on_cpu_link)
        WRITE_ONCE(loaded_vmcs.loaded_vmcss_on_cpu_link, cpu)


# [New in arch:vmx]
def del_loaded_vmcs(loaded_vmcs: ptr[loaded_vmcs], cpu: cpu):
    """Ours: list_del() from the CPU's loaded_vmcss_on_cpu: from whichever list the node is on."""
    if cpu_hotplug:
        list_del(loaded_vmcs.loaded_vmcss_on_cpu_link, cpu)
        WRITE_ONCE(loaded_vmcs.loaded_vmcss_on_cpu_link, -1)


# [New in arch:vmx]
def vmclear_local_loaded_vmcss():
    """Mirrors: vmclear_local_loaded_vmcss(), arch/x86/kvm/vmx/vmx.c, v6.12

    Omits: that the walk keeps the next node from before
    """
    cpu = raw_smp_processor_id()

    for v in each(loaded_vmcs):
        if READ_ONCE(v.loaded_vmcss_on_cpu_link) == cpu:
            __loaded_vmcs_clear(v)


# [Modified in arch:vmx]
def kvm_x86_disable_virtualization_cpu():
    """Mirrors: vmx_disable_virtualization_cpu(), arch/x86/kvm/vmx/vmx.c, v6.12; Omits: VMXOFF, PT"""
    vmclear_local_loaded_vmcss()


# [Modified in arch:vmx]
def smpcfd_dying_cpu():
    """What other CPUs asked for before this one was offline is done now.

    Mirrors: smpcfd_dying_cpu(), __flush_smp_call_function_queue(), kernel/smp.c, v6.12
    """
    for c in each(cpu):
        csd = per_cpu_ptr(addr(csd_stack), c)
        if csd.dst == smp_processor_id():
            __loaded_vmcs_clear(csd.info)
            with atomic:
                csd.info = NULL
                smp_store_release(csd.dst, -1)

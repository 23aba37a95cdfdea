"""arch/x86/kvm/vmx.c, as it was."""


# [Modified in museum:vmcs-clear-publish-order]
def __loaded_vmcs_clear(loaded_vmcs: ptr[loaded_vmcs]):
    """As another CPU might see it without the barrier."""
    cpu = raw_smp_processor_id()

    if loaded_vmcs.cpu != cpu:
        return
    if per_cpu(current_vmcs, cpu) == loaded_vmcs.vmcs:
        __this_cpu_write(current_vmcs, NULL)

    vmcs_clear(loaded_vmcs.vmcs)

    loaded_vmcs.cpu = -1

    del_loaded_vmcs(loaded_vmcs, cpu)

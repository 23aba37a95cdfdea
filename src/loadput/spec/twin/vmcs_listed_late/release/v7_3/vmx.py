# [Modified in twin:vmcs_listed_late]
def vmx_vcpu_load_vmcs(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """On the CPU's list only after VMPTRLD."""
    vmx = to_vmx(vcpu)
    already_loaded = vmx.loaded_vmcs.cpu == cpu

    if not already_loaded:
        loaded_vmcs_clear(vmx.loaded_vmcs)
        local_irq_disable()
        smp_rmb()
        local_irq_enable()

    prev = per_cpu(current_vmcs, cpu)
    if prev != vmx.loaded_vmcs.vmcs:
        __this_cpu_write(current_vmcs, vmx.loaded_vmcs.vmcs)
        vmcs_load(vmx.loaded_vmcs.vmcs)

    if not already_loaded:
        add_loaded_vmcs(vmx.loaded_vmcs, cpu)
        vmcs_access(vcpu)

        vmx.loaded_vmcs.cpu = cpu

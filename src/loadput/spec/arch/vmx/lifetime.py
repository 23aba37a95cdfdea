"""A vCPU's VMCS: made and freed with it.

Mirrors: arch/x86/kvm/vmx/vmx.c, arch/x86/kvm/vmx/nested.c, v6.12. Only where a scenario has a
vmm_thread.
"""


# [Modified in arch:vmx]
def kvm_x86_vcpu_create(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vmx_vcpu_create(), alloc_loaded_vmcs(), arch/x86/kvm/vmx/vmx.c, v6.12

    Omits: all but the VMCS; which page it is: each vCPU has its own
    """
    vmx = to_vmx(vcpu)
    vmx.guest_uret_msrs_loaded = False
    vmx.guest_state_loaded = False
    vmcs_clear(vmx.loaded_vmcs.vmcs)
    vmx.loaded_vmcs.cpu = -1


# [New in arch:vmx]
def nested_vmx_free_vcpu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: nested_vmx_free_vcpu(), arch/x86/kvm/vmx/nested.c, v6.12; Omits: vmx_leave_nested()"""
    vcpu_load(vcpu)
    vcpu_put(vcpu)


# [New in arch:vmx]
def free_loaded_vmcs(loaded_vmcs: ptr[loaded_vmcs]):
    """Mirrors: free_loaded_vmcs(), arch/x86/kvm/vmx/vmx.c, v6.12; Omits: the MSR bitmap"""
    loaded_vmcs_clear(loaded_vmcs)


# [Modified in arch:vmx]
def kvm_x86_vcpu_free(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vmx_vcpu_free(), arch/x86/kvm/vmx/vmx.c, v6.12; Omits: PML, VPID, #VE"""
    nested_vmx_free_vcpu(vcpu)
    free_loaded_vmcs(to_vmx(vcpu).loaded_vmcs)
    vcpu_memory_is_freed(vcpu)


# [Modified in arch:vmx]
def cpu_remembers(c: cpu, vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: whether CPU ``c`` points to the vCPU or to its VMCS, or holds the VMCS."""
    vmcs = to_vmx(vcpu).loaded_vmcs.vmcs
    points = per_cpu(kvm_running_vcpu, c) == vcpu or per_cpu(current_vmcs, c) == vmcs
    return points or per_cpu(hw_current_vmcs, c) == vmcs or vmcs.active_on == c

"""What VMX keeps in a vCPU; VMCSs on a CPU that crashes or goes offline."""


@property_(
    source="arch/x86/kvm/vmx/vmx.c vmx_prepare_switch_to_host(), v6.12",
    twin="kgs_kept",
    replaces="GSL_RESET_VMX",
)
@at_exit(kvm_arch_vcpu_put)
def GSL_RESET(vcpu: ptr[kvm_vcpu]) -> bool:
    """After every put the next entry prepares its CPU anew: guest_state_loaded is false."""
    return not container_of(vcpu, vcpu_vmx, vcpu).guest_state_loaded


@property_(
    source="arch/x86/kvm/vmx/vmx.c vmx_emergency_disable_virtualization_cpu(), v6.12, which an NMI calls",
    twin="vmcs_listed_late",
    where="cpu_hotplug",
)
@always
def VMCS_LISTED() -> bool:
    """A VMCS that is active on a CPU is on that CPU's list at every moment: a crash clears those."""
    for v in each(loaded_vmcs):
        at = v.vmcs.active_on
        if at != -1 and at != v.loaded_vmcss_on_cpu_link:
            return False
    return True


@property_(
    source="Intel SDM volume 3, VMXOFF: VMCSs that are active then may be corrupted;"
    " arch/x86/kvm/vmx/vmx.c vmx_disable_virtualization_cpu(), v6.12",
    twin="offline_keeps_vmcs",
    where="cpu_hotplug",
)
@at_exit(kvm_arch_disable_virtualization_cpu)
def VMCS_CLEAR_OFFLINE() -> bool:
    """No VMCS is active on a CPU when its virtualization is switched off."""
    for v in each(vmcs):
        if v.active_on == smp_processor_id():
            return False
    return True

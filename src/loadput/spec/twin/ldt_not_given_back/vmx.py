"""arch/x86/kvm/vmx/vmx.c with a put that does not ask for host_state.ldt_sel."""


# [Modified in twin:ldt_not_given_back]
def vmx_prepare_switch_to_host(vmx: ptr[vcpu_vmx]):
    """As vmx_prepare_switch_to_host(), without LDTR."""
    if not vmx.guest_state_loaded:
        return

    this_cpu_write(hw_kernel_gs_base, vmx.msr_host_kernel_gs_base)
    vmx.guest_state_loaded = False
    vmx.guest_uret_msrs_loaded = False

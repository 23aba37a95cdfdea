"""arch/x86/kvm/vmx/vmx.c, writing the VMCS at once instead of noting ple_window_dirty."""


# [Modified in twin:vmwrite_before_load]
def shrink_ple_window(vcpu: ptr[kvm_vcpu]):
    """As shrink_ple_window(), with a VMWRITE."""
    vmcs_access(vcpu)

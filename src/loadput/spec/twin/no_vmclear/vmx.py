"""arch/x86/kvm/vmx/vmx.c without the IPI."""


# [Modified in twin:no_vmclear]
def loaded_vmcs_clear(loaded_vmcs: ptr[loaded_vmcs]):
    """As loaded_vmcs_clear(), without its call on the other CPU."""
    pass

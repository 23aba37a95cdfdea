"""arch/x86/kvm, broken."""


# [Modified in twin:host_pkru_kept]
def kvm_load_host_pkru(vcpu: ptr[kvm_vcpu]):
    """PKRU stays the guest's."""
    pass

"""BROKEN ON PURPOSE."""


# [Modified in twin:last_vcpu_kept]
def kvm_arch_vcpu_destroy(vcpu: ptr[kvm_vcpu]):
    """The next vCPU at its address is taken for it."""
    kvm_x86_vcpu_free(vcpu)

    vcpu_memory_is_freed(vcpu)
    vcpu_address_is_free(vcpu)

"""A vCPU's end on x86 in v7.3: it is not loaded for it, unless its vendor does.

Mirrors: arch/x86/kvm/x86.c, v7.3
"""


# [Modified in release:v7.3]
def kvm_arch_destroy_vm(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_destroy_vm(), arch/x86/kvm/x86.c, v7.3: it loads no vCPU"""
    pass


# [Modified in release:v7.3]
def kvm_arch_vcpu_destroy(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_destroy(), arch/x86/kvm/x86.c; kvm_vcpu_destroy(), virt/kvm/kvm_main.c,
    v7.3, which then frees the vCPU
    """
    for c in each(cpu):
        cmpxchg(per_cpu(last_vcpu, c), vcpu, NULL)

    kvm_x86_vcpu_free(vcpu)

    vcpu_memory_is_freed(vcpu)
    vcpu_address_is_free(vcpu)


# [New in release:v7.3]
def vcpu_address_is_free(vcpu: ptr[kvm_vcpu]):
    """Ours: a place for properties: kmem_cache_free() of the vCPU, by whose address KVM knows it."""
    pass

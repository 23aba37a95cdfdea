"""A vCPU's beginning and end on x86.

Mirrors: arch/x86/kvm/x86.c, v6.12
"""


# [Modified in arch:x86]
def kvm_arch_vcpu_create(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_create(), arch/x86/kvm/x86.c, v6.12

    Omits: all but the vendor's part, what is 0 in the memory that it finds, and that the vCPU is loaded
    for its reset
    """
    vcpu.arch.pmu.need_cleanup = False
    vcpu.arch.st.preempted = False
    kvm_x86_vcpu_create(vcpu)

    vcpu_load(vcpu)
    vcpu_put(vcpu)


# [Modified in arch:x86]
def kvm_arch_destroy_vm(vcpu: ptr[kvm_vcpu]):
    """Each vCPU is loaded to let go of its MMU.

    Mirrors: kvm_arch_destroy_vm(), kvm_unload_vcpu_mmu(), arch/x86/kvm/x86.c, v6.12
    """
    vcpu_load(vcpu)
    vcpu_put(vcpu)


# [Modified in arch:x86]
def kvm_arch_vcpu_destroy(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_destroy(), arch/x86/kvm/x86.c, v6.12"""
    kvm_x86_vcpu_free(vcpu)


# [New in arch:x86]
def kvm_x86_vcpu_create(vcpu: ptr[kvm_vcpu]):
    """Each vendor has its own.

    Mirrors: svm_x86_ops.vcpu_create, arch/x86/kvm/svm/svm.c, v6.12
    """
    pass


# [New in arch:x86]
def kvm_x86_vcpu_free(vcpu: ptr[kvm_vcpu]):
    """Each vendor has its own.

    Mirrors: svm_x86_ops.vcpu_free, arch/x86/kvm/svm/svm.c, v6.12
    """
    pass

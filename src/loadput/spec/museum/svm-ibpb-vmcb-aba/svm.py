"""arch/x86/kvm/svm.c, as it was."""


# [Modified in museum:svm-ibpb-vmcb-aba]
def svm_vcpu_free(vcpu: ptr[kvm_vcpu]):
    """A barrier, on the CPU that frees the page."""
    vcpu_memory_is_freed(vcpu)
    __free_page(to_svm(vcpu).vmcb)
    indirect_branch_prediction_barrier()

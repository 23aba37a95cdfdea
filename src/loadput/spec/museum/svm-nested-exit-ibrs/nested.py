"""arch/x86/kvm/svm/nested.c, as it was."""


# [Modified in museum:svm-nested-exit-ibrs]
def nested_svm_vmexit(svm: ptr[vcpu_svm]):
    """As nested_svm_vmexit(), without kvm_nested_vmexit_handle_ibrs()."""
    svm_switch_vmcb(svm, VMCB01)
    nested_svm_transition_tlb_flush(vcpu_of(svm))

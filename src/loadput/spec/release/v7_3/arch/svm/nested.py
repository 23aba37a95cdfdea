"""The exit of a nested guest in v7.3: its host is given back a predictor that it has not taught.

Mirrors: arch/x86/kvm/svm/nested.c, arch/x86/kvm/x86.h, v7.3
"""

# The guest is told of IBRS, and the CPU has none that keeps guests apart by itself.
guest_ibrs = True


# [New in release:v7.3]
def kvm_nested_vmexit_handle_ibrs(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_nested_vmexit_handle_ibrs(), arch/x86/kvm/x86.h, v7.3"""
    if guest_ibrs:
        indirect_branch_prediction_barrier()


# [Modified in release:v7.3]
def nested_svm_vmexit(svm: ptr[vcpu_svm]):
    """The nested guest's exit is its host's affair.

    Mirrors: nested_svm_vmexit(), arch/x86/kvm/svm/nested.c, v7.3
    Context: preemptible
    """
    kvm_nested_vmexit_handle_ibrs(vcpu_of(svm))
    svm_switch_vmcb(svm, VMCB01)
    nested_svm_transition_tlb_flush(vcpu_of(svm))


# [Modified in release:v7.3]
def is_guest_mode(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: is_guest_mode(), arch/x86/kvm/regs.h, v7.3"""
    return to_svm(vcpu).current_vmcb == VMCB02

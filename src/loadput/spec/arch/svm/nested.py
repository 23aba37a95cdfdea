"""A guest that runs a guest: two VMCBs of one vCPU take turns.

Mirrors: arch/x86/kvm/svm/nested.c, arch/x86/kvm/svm/svm.c, v6.12. Only where a scenario sets nested.
"""

# The module's nested: the guest runs a guest.
nested = False
# The vCPUs whose guests do, a bit each.
nested_vcpus: setting[upto[15]] = 15


# [New in arch:svm]
def is_guest_mode(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: is_guest_mode(), arch/x86/kvm/kvm_cache_regs.h, v6.12"""
    return to_svm(vcpu).current_vmcb == VMCB02


# [New in arch:svm]
def svm_switch_vmcb(svm: ptr[vcpu_svm], target_vmcb: upto[1]):
    """Mirrors: svm_switch_vmcb(), arch/x86/kvm/svm/svm.c, v6.12

    Omits: that svm->vmcb is another page then, unless the scenario looks at pages (vm_lifetime): a
    later load issues one more barrier
    """
    svm.current_vmcb = target_vmcb
    if vm_lifetime:
        svm.vmcb = svm.vmcb02 if target_vmcb == VMCB02 else svm.vmcb01


# [New in arch:svm]
def nested_svm_transition_tlb_flush(vcpu: ptr[kvm_vcpu]):
    """Mirrors: nested_svm_transition_tlb_flush(), arch/x86/kvm/svm/nested.c; svm_flush_tlb_current(),
    arch/x86/kvm/svm/svm.c, v6.12, with FLUSHBYASID

    Omits: KVM_REQ_TLB_FLUSH_CURRENT, which the next entry does before anything else is switched
    """
    if asids:
        kvm_x86_flush_tlb_guest(vcpu)


# [New in arch:svm]
def nested_svm_vmrun(vcpu: ptr[kvm_vcpu]):
    """The guest's VMRUN.

    Mirrors: nested_svm_vmrun(), enter_svm_guest_mode(), arch/x86/kvm/svm/nested.c, v6.12
    Omits: what VMCB02 gets from the guest's own VMCB
    """
    svm = to_svm(vcpu)
    if vm_lifetime:
        svm_allocate_nested(svm)
    svm_switch_vmcb(svm, VMCB02)
    nested_svm_transition_tlb_flush(vcpu)


# [New in arch:svm]
def svm_leave_nested(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_leave_nested(), arch/x86/kvm/svm/nested.c, v6.12; Omits: all but the VMCB"""
    if is_guest_mode(vcpu):
        svm_switch_vmcb(to_svm(vcpu), VMCB01)


# [New in arch:svm]
def nested_svm_vmexit(svm: ptr[vcpu_svm]):
    """The nested guest's exit is its host's affair.

    Mirrors: nested_svm_vmexit(), arch/x86/kvm/svm/nested.c, v6.12
    """
    svm_switch_vmcb(svm, VMCB01)
    nested_svm_transition_tlb_flush(vcpu_of(svm))


# [New in arch:svm]
def nested_exit(vcpu: ptr[kvm_vcpu]):
    """Ours: the exit is the guest's VMRUN, or one of the nested guest's that its host asked for.

    Mirrors: nested_svm_exit_handled(), arch/x86/kvm/svm/nested.c; vmrun_interception(),
    arch/x86/kvm/svm/svm.c, v6.12
    """
    if is_guest_mode(vcpu):
        nested_svm_vmexit(to_svm(vcpu))
    else:
        nested_svm_vmrun(vcpu)

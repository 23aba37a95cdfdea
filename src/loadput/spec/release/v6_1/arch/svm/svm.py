"""SVM in v6.1, apart from what design A has of it.

Mirrors: arch/x86/kvm/svm/svm.c, v6.1
"""


# [Modified in release:v6.1]
def load_guest_debugctl(vcpu: ptr[kvm_vcpu]):
    """Mirrors: none in v6.1: without LBR virtualization DEBUGCTL stays the host's in the guest"""
    pass


# [Modified in release:v6.1]
def load_host_debugctl(vcpu: ptr[kvm_vcpu]):
    """Mirrors: none in v6.1"""
    pass


# [Modified in release:v6.1]
def pre_svm_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: pre_svm_run(), arch/x86/kvm/svm/svm.c, v6.1

    Context: IRQs off
    Omits: SEV
    """
    sd = per_cpu_ptr(addr(svm_data), vcpu.cpu)
    svm = to_svm(vcpu)

    if svm.vmcb_cpu[svm.current_vmcb] != vcpu.cpu:
        svm.asid_generation[svm.current_vmcb] = 0
        vmcb_mark_all_dirty(svm)
        svm.vmcb_cpu[svm.current_vmcb] = vcpu.cpu

    if svm.asid_generation[svm.current_vmcb] != sd.asid_generation:
        new_asid(svm, sd)

"""arch/x86/kvm/svm/svm.c without indirect_branch_prediction_barrier()."""


# [Modified in twin:no_ibpb]
def svm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As svm_vcpu_load(), without the barrier."""
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), cpu)

    if vcpu.scheduled_out and not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)

    if sd.current_vmcb != svm.vmcb:
        sd.current_vmcb = svm.vmcb

"""A vCPU on SVM in v7.3: the load knows nothing of the branch predictor.

Mirrors: arch/x86/kvm/svm/svm.c, v7.3
"""


# [Modified in release:v7.3]
def svm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: svm_vcpu_load(), arch/x86/kvm/svm/svm.c, v7.3

    Context: vcpu->cpu is still the CPU of the last load
    """
    if vcpu.scheduled_out and not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)

    if avic:
        avic_vcpu_load(vcpu, cpu)


# [Modified in release:v7.3]
def svm_vcpu_free(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_vcpu_free(), arch/x86/kvm/svm/svm.c, v7.3

    Omits: SEV, the MSR bitmap, the list of posted interrupts
    """
    svm = to_svm(vcpu)

    if avic:
        avic_vcpu_free(vcpu)

    if nested:
        svm_leave_nested(vcpu)
        svm_free_nested(svm)

    __free_page(svm.vmcb01)


# [Modified in release:v7.3]
def cpu_remembers(c: cpu, vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: whether CPU ``c`` points to the vCPU, as the one that runs or that was loaded last."""
    return per_cpu(kvm_running_vcpu, c) == vcpu or per_cpu(last_vcpu, c) == vcpu

"""The SVM part of design A.

Mirrors: arch/x86/kvm/svm/svm.c, v6.1
"""


# [New in design:A]
def svm_sched_in(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: svm_sched_in(), arch/x86/kvm/svm/svm.c, v6.1"""
    if not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)


# [New in design:A]
def kvm_x86_sched_in(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: svm_x86_ops.sched_in, arch/x86/kvm/svm/svm.c, v6.1"""
    svm_sched_in(vcpu, cpu)


# [Modified in design:A]
def svm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: svm_vcpu_load(), arch/x86/kvm/svm/svm.c, v6.1; Omits: AVIC"""
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), cpu)

    if sd.current_vmcb != svm.vmcb:
        sd.current_vmcb = svm.vmcb
        indirect_branch_prediction_barrier()

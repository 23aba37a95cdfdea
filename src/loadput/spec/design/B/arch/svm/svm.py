"""The SVM part of design B.

Mirrors: arch/x86/kvm/svm/svm.c after 20240430193157.419425-1-seanjc@google.com
"""


# [Modified in design:B]
def svm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool):
    """Mirrors: svm_vcpu_load(), arch/x86/kvm/svm/svm.c; Omits: AVIC"""
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), cpu)

    if sched_in and not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)

    if sd.current_vmcb != svm.vmcb:
        sd.current_vmcb = svm.vmcb
        indirect_branch_prediction_barrier()


# [Modified in design:B]
def kvm_x86_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool):
    """Mirrors: svm_x86_ops.vcpu_load, arch/x86/kvm/svm/svm.c"""
    svm_vcpu_load(vcpu, cpu, sched_in)

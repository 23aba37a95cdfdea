"""The SVM part of design B on v7.3.

Mirrors: arch/x86/kvm/svm/svm.c, v7.3, after 20240430193157.419425-1-seanjc@google.com
"""


# [Modified in design:B]
def svm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool):
    """Mirrors: svm_vcpu_load(), arch/x86/kvm/svm/svm.c, v7.3, with the parameter"""
    if sched_in and not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)

    if avic:
        avic_vcpu_load(vcpu, cpu)

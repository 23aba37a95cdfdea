"""The SVM part of design A on v7.3: the load has nothing left to do without AVIC.

Mirrors: arch/x86/kvm/svm/svm.c, v7.3
"""


# [Modified in design:A]
def svm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: svm_vcpu_load(), arch/x86/kvm/svm/svm.c, v7.3, without what svm_sched_in() does"""
    if avic:
        avic_vcpu_load(vcpu, cpu)

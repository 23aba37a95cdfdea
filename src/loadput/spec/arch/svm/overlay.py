"""x86 with AMD's SVM.

Sources: arch/x86/kvm/svm/svm.c, arch/x86/kvm/svm/vmenter.S, v6.12. AVIC off, no nesting, no SEV-ES.
"""

OVERLAY = Overlay(name="svm", parent="x86", source="arch/x86/kvm/svm/svm.c, v6.12")

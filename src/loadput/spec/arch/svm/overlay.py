"""x86 with AMD's SVM.

Sources: arch/x86/kvm/svm/svm.c, arch/x86/kvm/svm/vmenter.S, v6.12. No SEV-ES; AVIC,
nested guests and ASIDs only where a scenario switches them on.
"""

OVERLAY = Overlay(name="svm", parent="x86", source="arch/x86/kvm/svm/svm.c, v6.12")

"""#VMEXIT of an SEV-ES guest gives the CPU the host's TSC_AUX, behind what KVM remembers of it.

Before Linux commit 29da8c823abf ("KVM: SVM: Re-load current, not host, TSC_AUX on #VMEXIT from
SEV-ES guest")
"""

OVERLAY = Overlay(
    name="svm-sev-es-tsc-aux", parent="D", arch="svm", release="v7.3", breaks="URET_GUEST"
)

"""AMD: VMSAVE at the load, a copy at the entry: the form of the thread's prototype.

Source: "[PATCH DO NOT APPLY] KVM: SVM: Cache volatile task state to avoid VMSAVE in core run loop",
20240430224431.490139-1-seanjc@google.com
"""

OVERLAY = Overlay(
    name="snapshot", parent="D", arch="svm", source="20240430224431.490139-1-seanjc@google.com"
)

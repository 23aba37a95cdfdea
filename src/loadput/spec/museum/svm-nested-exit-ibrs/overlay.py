"""A nested guest's exit to its host brings no barrier: SVM had none.

Before Linux commit 656d9624bd21 ("KVM: x86: Generalize IBRS virtualization on emulated VM-exit")
"""

OVERLAY = Overlay(
    name="svm-nested-exit-ibrs",
    parent="D",
    arch="svm",
    release="v7.3",
    breaks="PREDICTOR_OF_L2",
)

"""A switch of VMCBs claims that the new one ran on this CPU.

Before Linux commit 17e5e964eee0 ("KVM: SVM: Don't set current_vmcb->cpu when switching vmcb")
"""

OVERLAY = Overlay(
    name="svm-vmcb-cpu-on-switch", parent="D", arch="svm", breaks="CLEAN_WHERE_IT_RAN"
)

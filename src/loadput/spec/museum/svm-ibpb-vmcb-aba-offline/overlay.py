"""A VMCB's page is freed while a CPU that is offline still takes it for its current VMCB.

Between Linux commit fd65d3142f73 ("kvm: svm: Ensure an IBPB on all affected CPUs when freeing a
vmcb") and Linux commit 1bee4838eb3a ("KVM: SVM: Clear current_vmcb during vCPU free for all
*possible* CPUs")
"""

OVERLAY = Overlay(
    name="svm-ibpb-vmcb-aba-offline",
    parent="D",
    arch="svm",
    breaks="PREDICTOR_OWN, FREED_IS_FORGOTTEN",
)

"""A VMCB's page is freed while CPUs still take it for their current VMCB.

Before Linux commit fd65d3142f73 ("kvm: svm: Ensure an IBPB on all affected CPUs when freeing a
vmcb")
"""

OVERLAY = Overlay(
    name="svm-ibpb-vmcb-aba",
    parent="D",
    arch="svm",
    breaks="PREDICTOR_OWN, FREED_IS_FORGOTTEN",
)

"""Broken on purpose: no barrier at a nested guest's exit to its host, as SVM of v6.12 has none.

Ours: nested_svm_vmexit() of v7.3 without kvm_nested_vmexit_handle_ibrs().
"""

OVERLAY = Overlay(
    name="nested_exit_without_ibrs",
    parent="D",
    arch="svm",
    release="v7.3",
    breaks="PREDICTOR_OF_L2",
    scenario="nested",
)

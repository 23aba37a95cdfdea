"""A vCPU that ends stays the one that was last loaded.

Ours: kvm_arch_vcpu_destroy() of v7.3 without the walk over last_vcpu.
"""

OVERLAY = Overlay(
    name="last_vcpu_kept",
    parent="D",
    arch="svm",
    release="v7.3",
    breaks="FREED_IS_FORGOTTEN, PREDICTOR_OWN",
    scenario="reuse",
)

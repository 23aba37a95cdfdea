"""A task's FP state is loaded, and CPACR_EL1 stays as the last one left it.

Broken on purpose: fpsimd_restore_current_state() without its last store.
"""

OVERLAY = Overlay(
    name="arm64_fp_bound_without_zen",
    parent="D",
    arch="arm64",
    scenario="sve",
    breaks="HOST_SVE_AT_USER",
)

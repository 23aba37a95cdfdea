"""Broken on purpose: #VMEXIT of an SEV-ES guest gives the CPU the host's TSC_AUX, as in v6.12.

Ours: sev_es_prepare_switch_to_guest() of v7.3 without TSC_AUX, which v6.12 stores in the save area once.
What KVM remembers of the CPU is another guest's then.
"""

OVERLAY = Overlay(
    name="sev_es_tsc_aux_primed",
    parent="D",
    arch="svm",
    release="v7.3",
    breaks="URET_GUEST",
    scenario="shared",
)

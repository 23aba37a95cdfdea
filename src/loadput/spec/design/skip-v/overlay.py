"""AMD: no VMSAVE where the CPU's area carries this vCPU's load generation.

Source: the idea of 20240430193157.419425-1-seanjc@google.com, worked out
"""

OVERLAY = Overlay(
    name="skip-v",
    parent="D",
    arch="svm",
    source="ours, after 20240430193157.419425-1-seanjc@google.com",
)

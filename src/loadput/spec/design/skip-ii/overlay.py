"""AMD: no VMSAVE for a load that the scheduler makes on the same CPU.

Source: the idea of 20240430193157.419425-1-seanjc@google.com, worked out
"""

OVERLAY = Overlay(
    name="skip-ii", parent="D", arch="svm", source="20240430193157.419425-1-seanjc@google.com"
)

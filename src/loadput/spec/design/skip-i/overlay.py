"""AMD: no VMSAVE for a load that the scheduler makes.

Source: the idea of 20240430193157.419425-1-seanjc@google.com, worked out
"""

OVERLAY = Overlay(
    name="skip-i", parent="D", arch="svm", source="20240430193157.419425-1-seanjc@google.com"
)

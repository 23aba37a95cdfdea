"""AMD: as skip-iii, and only where something was saved since vcpu_load.

Source: the idea of 20240430193157.419425-1-seanjc@google.com, worked out
"""

OVERLAY = Overlay(
    name="skip-iv", parent="D", arch="svm", source="20240430193157.419425-1-seanjc@google.com"
)

"""AMD: as skip-ii, and only where this task was the last to save into the CPU's area.

Source: the idea of 20240430193157.419425-1-seanjc@google.com, worked out
"""

OVERLAY = Overlay(
    name="skip-iii", parent="D", arch="svm", source="20240430193157.419425-1-seanjc@google.com"
)

"""A with a private flag: the hook sets it, the load reads it and clears it.

Source: what 20240430193157.419425-1-seanjc@google.com says it would have taken, in our words
"""

OVERLAY = Overlay(
    name="A-hint", parent="A", arch="svm", source="20240430193157.419425-1-seanjc@google.com"
)

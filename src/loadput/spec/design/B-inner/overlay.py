"""B with an inner helper that has no sched_in parameter, for those who call the load directly.

Source: the cover letter of design B mentions it; no patch was posted
"""

OVERLAY = Overlay(name="B-inner", parent="B", source="20240430193157.419425-1-seanjc@google.com")

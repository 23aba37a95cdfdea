"""A with the hook after the load: what the order of the two decides.

Source: "the arbitrary ordering between sched_in() and vcpu_load()",
20240430193157.419425-1-seanjc@google.com
"""

OVERLAY = Overlay(name="A-swapped", parent="A", source="20240430193157.419425-1-seanjc@google.com")

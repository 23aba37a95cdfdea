"""C with a symmetric kvm_arch_sched_out() that puts.

Source: tried by Sean Christopherson, ZjJRhQhX_12eBvY-@google.com; no patch was posted
"""

OVERLAY = Overlay(name="C-out", parent="C", source="ZjJRhQhX_12eBvY-@google.com")

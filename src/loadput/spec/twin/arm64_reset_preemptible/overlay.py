"""A reset puts and loads with preemption on.

Ours: kvm_reset_vcpu() without preempt_disable(); its comment names the race.
"""

OVERLAY = Overlay(name="arm64_reset_preemptible", parent="D", arch="arm64", breaks="DIRECT_PAIR")

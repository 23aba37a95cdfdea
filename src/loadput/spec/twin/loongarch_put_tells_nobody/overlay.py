"""A vCPU that loses its CPU is never shown as preempted.

Ours: kvm_vcpu_set_pv_preempted() of v7.3 that does nothing.
"""

OVERLAY = Overlay(
    name="loongarch_put_tells_nobody",
    parent="D",
    release="v7.3",
    arch="loongarch",
    breaks="PREEMPT_HINT",
    scenario="one",
)

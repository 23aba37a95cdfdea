"""A: a hook of its own, kvm_arch_sched_in(), called before the load. Linux up to v6.10.

Sources: kvm_sched_in(), kvm_sched_out(), virt/kvm/kvm_main.c, v6.1, with preempted and ready as in
v6.12. No field scheduled_out.
"""

OVERLAY = Overlay(name="A", source="virt/kvm/kvm_main.c, v6.1", removes="kvm_vcpu.scheduled_out")

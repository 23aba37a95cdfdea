"""v6.11-pre: the tree of June 2024 with scheduled_out, where any load can be marked preempted.

Source: Linux commit 2a27c4314007 ("KVM: Delete the now unused kvm_arch_sched_in()") without
118964562969 ("KVM: Mark a vCPU as preempted/ready iff it's scheduled out while running") (in
v6.11). No delayed dequeue. vcpu->wants_to_run stands for !run->immediate_exit, read once.
"""

OVERLAY = Overlay(name="v6.11-pre", design="D", source="Linux commit 2a27c4314007 (in v6.11)")

"""A reset puts and loads with preemption on.

Ours: kvm_riscv_reset_vcpu() without get_cpu(); its comment names the race.
"""

OVERLAY = Overlay(name="riscv_reset_preemptible", parent="D", arch="riscv", breaks="DIRECT_PAIR")

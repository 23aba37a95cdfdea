"""The load leaves HVIP as it is.

Ours: kvm_arch_vcpu_load() of v6.12 without HVIP: a put before the next entry reads what the CPU has.
"""

OVERLAY = Overlay(
    name="riscv_load_keeps_hvip",
    parent="D",
    release="v6.12",
    arch="riscv",
    breaks="NO_LOST_INTERRUPT",
    scenario="comes-back",
)

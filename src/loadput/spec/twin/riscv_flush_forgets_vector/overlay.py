"""The guest's vector registers are saved where the kernel takes them, and not restored.

Ours: kvm_riscv_vcpu_flush_vector() of v7.3 without its flag.
"""

OVERLAY = Overlay(
    name="riscv_flush_forgets_vector",
    parent="D",
    release="v7.3",
    arch="riscv",
    breaks="GUEST_V",
    scenario="one",
)

"""What a thread has in the vector registers where it is preempted in the kernel stays there.

Ours: __switch_to() of v7.3 without __switch_to_vector().
"""

OVERLAY = Overlay(
    name="riscv_switch_keeps_vector",
    parent="D",
    release="v7.3",
    arch="riscv",
    breaks="KERNEL_V",
    scenario="one",
)

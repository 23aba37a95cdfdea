"""The guest goes on while its memory says that it lost its CPU.

Ours: kvm_update_stolen_time() of v7.3 without the byte.
"""

OVERLAY = Overlay(
    name="loongarch_byte_kept",
    parent="D",
    release="v7.3",
    arch="loongarch",
    breaks="PREEMPT_BYTE",
    scenario="one",
)
